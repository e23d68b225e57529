import { chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { git, makeRepository, temporaryFolder } from "./kit/repositories.ts";
import { runScript } from "./kit/scriptAgent.ts";

const repository = () =>
  makeRepository({ "src/a.js": "one\n", ".gitignore": "dist/\n*.log\n", "README.md": "# x\n" });

/** A program that tells of it when something runs it. */
const trap = `
const proof = process.env.PROOF;
const trap = (name) => {
  const file = path.join(process.env.HOME, name);
  fs.writeFileSync(file, "#!/bin/sh\\ntouch " + proof + "/" + name + "\\ncat\\n", { mode: 0o755 });
  return file;
};
`;

async function runHostile(script: string, source = repository()) {
  const proof = temporaryFolder("proof");
  chmodSync(proof, 0o777);
  const run = await runScript(source, `${trap}\n${script}\nsucceed();`, {
    secrets: { PROOF: proof },
  });
  return { ...run, executed: readdirSync(proof), files: run.report.patch?.files ?? {} };
}

describe("what an agent plants in its workspace is never executed:", () => {
  it("hooks, monitors, filters and helpers of its .git", async () => {
    const { executed, files, report } = await runHostile(`
      for (const hook of ["pre-commit", "post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"]) {
        fs.mkdirSync(".git/hooks", { recursive: true });
        fs.copyFileSync(trap("hook"), ".git/hooks/" + hook);
      }
      fs.appendFileSync(".git/config", [
        "[core]", "fsmonitor = " + trap("fsmonitor"), "hooksPath = .git/hooks", "sshCommand = " + trap("ssh"),
        "pager = " + trap("pager"), "editor = " + trap("editor"), "attributesFile = .gitattributes",
        "[diff]", "external = " + trap("external"), "[diff \\"evil\\"]", "textconv = " + trap("textconv"),
        "command = " + trap("command"), "[filter \\"evil\\"]", "clean = " + trap("clean"), "smudge = " + trap("smudge"),
        "process = " + trap("process"), "required = true", "[merge \\"evil\\"]", "driver = " + trap("merge"), "",
      ].join("\\n"));
      fs.writeFileSync(".gitattributes", "* filter=evil diff=evil merge=evil\\n");
      fs.mkdirSync(".git/info", { recursive: true });
      fs.writeFileSync(".git/info/attributes", "* filter=evil diff=evil\\n");
      fs.writeFileSync("src/a.js", "two\\n");`);

    expect(executed).toEqual([]);
    expect(report.fault).toBe(null);
    expect(Object.keys(files)).toEqual([".gitattributes", "src/a.js"]);
    expect(report.patch?.patches).toMatchObject([{ file: "src/a.js", block: "two\n" }]);
  });

  it("a .git file that points to a repository of its own", async () => {
    const { executed, files } = await runHostile(`
      const other = path.join(process.env.HOME, "other.git");
      execFileSync("git", ["init", "--quiet", "--bare", other]);
      fs.appendFileSync(other + "/config", "[core]\\nfsmonitor = " + trap("fsmonitor") + "\\nworktree = /etc\\n");
      fs.rmSync(".git", { recursive: true });
      fs.writeFileSync(".git", "gitdir: " + other + "\\n");
      fs.writeFileSync("new.txt", "x\\n");`);

    expect(executed).toEqual([]);
    expect(Object.keys(files)).toEqual(["new.txt"]);
  });

  it("a nested repository, whose files are taken as files", async () => {
    const { executed, files, report } = await runHostile(`
      fs.mkdirSync("lib/deep", { recursive: true });
      for (const folder of ["lib", "lib/deep"]) {
        fs.writeFileSync(folder + "/code.js", folder);
        execFileSync("git", ["init", "--quiet"], { cwd: folder });
        execFileSync("git", ["add", "code.js"], { cwd: folder });
        execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x", "commit", "-qm", "x"], { cwd: folder });
        fs.appendFileSync(folder + "/.git/config", "[core]\\nfsmonitor = " + trap("fsmonitor") + "\\n");
      }
      fs.writeFileSync("lib/noise.log", "");`);

    expect(executed).toEqual([]);
    expect(report.fault).toBe(null);
    expect(Object.keys(files)).toEqual(["lib/code.js", "lib/deep/code.js"]);
  });
});

describe("the diff of a workspace is right", () => {
  it.each([
    ["has lost its .git", `fs.rmSync(".git", { recursive: true });`],
    ["has a broken .git", `fs.rmSync(".git/HEAD"); fs.writeFileSync(".git/index", "x");`],
    [
      "has strange alternates and grafts",
      `fs.writeFileSync(".git/objects/info/alternates", "/etc\\n"); fs.writeFileSync(".git/shallow", "x");`,
    ],
    [
      "has been committed and moved to another branch",
      `fs.writeFileSync("src/a.js", "two\\n"); fs.writeFileSync("other.js", "");
       execFileSync("git", ["checkout", "-qb", "elsewhere"]); execFileSync("git", ["add", "-A"]); execFileSync("git", ["commit", "-qm", "x"]); fs.rmSync("other.js");`,
    ],
    [
      "has its changes hidden from stat",
      `const { atime, mtime } = fs.statSync("src/a.js"); fs.writeFileSync("src/a.js", "two\\n"); fs.utimesSync("src/a.js", atime, mtime);
       execFileSync("git", ["update-index", "--assume-unchanged", "src/a.js"]);`,
    ],
  ])("that %s", async (_, script) => {
    const { files, report } = await runHostile(`${script} fs.writeFileSync("src/a.js", "two\\n");`);

    expect(report.fault).toBe(null);
    expect(files).toMatchObject({ "src/a.js": { op: "edit" } });
    expect(Object.keys(files)).toEqual(["src/a.js"]);
  });

  it("whose .gitignore hides files: they are in the patch and are named", async () => {
    const { files, events } = await runHostile(`
      fs.writeFileSync(".gitignore", "*\\n"); fs.writeFileSync("backdoor.js", "x\\n");
      fs.mkdirSync("sub"); fs.writeFileSync("sub/.gitignore", "*\\n"); fs.writeFileSync("sub/c.js", "x\\n");
      fs.mkdirSync("dist"); fs.writeFileSync("dist/out.js", "");`);

    expect(Object.keys(files)).toEqual([".gitignore", "backdoor.js", "sub/.gitignore", "sub/c.js"]);
    expect(events.at(-1)).toMatchObject({
      type: "diff",
      hiddenByIgnoreRules: ["backdoor.js", "sub/.gitignore", "sub/c.js"],
    });
  });

  it("whose .gitignore is gone: what the base ignored stays out", async () => {
    const { files } = await runHostile(`
      fs.rmSync(".gitignore"); fs.mkdirSync("dist"); fs.writeFileSync("dist/out.js", ""); fs.writeFileSync("x.log", "");`);

    expect(Object.keys(files)).toEqual([".gitignore"]);
  });

  it("with links: they are new links, and nothing behind them is read", async () => {
    const { files } = await runHostile(`
      fs.symlinkSync("/etc/passwd", "secrets.txt");
      fs.cpSync("src", process.env.HOME + "/src", { recursive: true });
      fs.rmSync("src", { recursive: true }); fs.symlinkSync("../home/src", "src");`);

    expect(files).toEqual({
      "secrets.txt": expect.objectContaining({ mode: "120000", content: { text: "/etc/passwd" } }),
      src: expect.objectContaining({ mode: "120000", content: { text: "../home/src" } }),
      "src/a.js": expect.objectContaining({ op: "delete" }),
    });
  });

  it("with strange names", async () => {
    const names = [
      "-n",
      "a b",
      "a\tb",
      'a"b',
      "a\nb",
      "a\\b",
      "*",
      "[x]",
      "?",
      ":(top)x",
      "ü€😀",
      "#x",
      "!x",
      " lead",
      "trail ",
    ];
    const { files, report } = await runHostile(
      `for (const name of ${JSON.stringify(names)}) fs.writeFileSync(name, name);`,
    );

    expect(report.fault).toBe(null);
    expect(Object.keys(files).sort()).toEqual([...names].sort());
    for (const name of names) expect(files[name]?.content).toEqual({ text: name });
  });

  it("with pipes and sockets: they are left out by name", async () => {
    const { files, events } = await runHostile(`
      execFileSync("mkfifo", ["pipe"]); fs.rmSync(".gitignore"); execFileSync("mkfifo", [".gitignore"]);
      execFileSync("python3", ["-c", "import socket; socket.socket(socket.AF_UNIX).bind('src/s.sock')"]);
      fs.writeFileSync("b.js", "");`);

    expect(Object.keys(files)).toEqual([".gitignore", "b.js"]);
    expect(files[".gitignore"]).toMatchObject({ op: "delete" });
    expect(events.at(-1)).toMatchObject({ leftOut: [".gitignore", "pipe", "src/s.sock"] });
  });

  it("where files became folders, folders files, and modes changed", async () => {
    const { files } = await runHostile(`
      fs.rmSync("README.md"); fs.mkdirSync("README.md"); fs.writeFileSync("README.md/x", "1");
      fs.rmSync("src", { recursive: true }); fs.writeFileSync("src", "2"); fs.chmodSync(".gitignore", 0o755);`);

    expect(files).toEqual({
      ".gitignore": expect.objectContaining({ op: "edit", mode: "100755" }),
      "README.md": expect.objectContaining({ op: "delete" }),
      "README.md/x": expect.objectContaining({ op: "create" }),
      src: expect.objectContaining({ op: "create" }),
      "src/a.js": expect.objectContaining({ op: "delete" }),
    });
  });
});

describe("what no patch can hold is a fault that names it:", () => {
  it.each([
    ["a name that is not UTF-8", `fs.writeFileSync(Buffer.from([0x66, 0xff]), "x");`, "f\ufffd"],
    [
      "a name that git keeps for itself",
      `fs.mkdirSync(".GIT"); fs.writeFileSync(".GIT/x", "");`,
      ".GIT/x",
    ],
  ])("%s", async (_, script, name) => {
    const { report } = await runHostile(script);

    expect(report).toMatchObject({ patch: null, treeId: null, fault: { code: "unpatchable" } });
    expect(report.fault?.message).toContain(name);
  });

  it("a submodule that was filled", async () => {
    const source = repository();
    const commit = git(source, "rev-parse", "HEAD");
    git(source, "update-index", "--add", "--cacheinfo", `160000,${commit},vendor`);
    git(source, "commit", "--quiet", "--message", "submodule");

    const untouched = await runHostile(`fs.writeFileSync("b.js", "");`, source);
    const touched = await runHostile(`fs.writeFileSync("vendor/b.js", "");`, source);

    expect(Object.keys(untouched.files)).toEqual(["b.js"]);
    expect(touched.report.fault?.message).toContain("vendor");
  });
});

describe("the runner's own repository", () => {
  it("is not there while the agent runs", async () => {
    const { report } = await runHostile(`say(fs.readdirSync("..").sort().join());`);

    expect(report.terminal?.text).toBe("events.ndjson,home,run.json,tmp,workspace");
  });

  it("does not read what was put in its place", async () => {
    const { executed, report } = await runHostile(`
      const place = path.resolve("..", "base.git");
      execFileSync("git", ["init", "--quiet", "--bare", place]);
      fs.appendFileSync(place + "/config", "[core]\\nfsmonitor = " + trap("fsmonitor") + "\\n");
      fs.writeFileSync(place + "/info/exclude", "*\\n");
      fs.writeFileSync("b.js", "");`);

    expect(executed).toEqual([]);
    expect(Object.keys(report.patch?.files ?? {})).toEqual(["b.js"]);
  });
});

describe("the agent's clone", () => {
  it("shares no file with the source and is not written back", async () => {
    const source = repository();
    const before = git(source, "for-each-ref");
    const inodes = `fs.readdirSync(".git/objects", { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => fs.statSync(path.join(e.parentPath, e.name)).nlink)`;

    const { report } = await runHostile(
      `say(String(${inodes}.every((links) => links === 1)) + fs.existsSync(".git/objects/info/alternates"));
       execFileSync("git", ["commit", "-q", "--allow-empty", "-m", "x"]);`,
      source,
    );

    expect(report.terminal?.text).toBe("truefalse");
    expect(git(source, "for-each-ref")).toBe(before);
    expect(git(source, "fsck", "--strict")).toBe("");
    expect(readdirSync(join(source, ".git")).includes("index.lock")).toBe(false);
  });
});
