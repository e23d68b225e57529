import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunRequest } from "../../shared/contracts/runner.ts";
import { commitAll, git, makeRepository, temporaryFolder, writeFiles } from "./kit/repositories.ts";
import { openRunner } from "./kit/runners.ts";
import { finishRun, runScript, scriptRegistry, scriptRun } from "./kit/scriptAgent.ts";

const look = `say(execFileSync("git", ["log", "--format=%s"], { encoding: "utf8" }) + fs.readFileSync("a.txt", "utf8")); succeed();`;

const from = (source: Partial<RunRequest["source"]>) => source as RunRequest["source"];

/** Two commits on main, and a branch that stands on the first. */
function history() {
  const folder = makeRepository({ "a.txt": "one\n" });
  const first = git(folder, "rev-parse", "HEAD");
  git(folder, "branch", "old");
  writeFiles(folder, { "a.txt": "two\n" });
  const second = commitAll(folder, "second");
  return { folder, first, second };
}

describe("a run starts from", () => {
  it("the head of the repository", async () => {
    const { folder, second } = history();

    const { report } = await runScript(folder, look);

    expect(report).toMatchObject({
      baseCommit: second,
      terminal: { text: "second\nfirst\ntwo\n" },
    });
  });

  it("the head of a branch, standing on a branch of that name", async () => {
    const { folder, first } = history();
    const source = from({ kind: "local", path: folder, branch: "old" });

    const { report } = await runScript(
      folder,
      `say(execFileSync("git", ["branch", "--show-current"], { encoding: "utf8" })); succeed();`,
      { source },
    );

    expect(report).toMatchObject({ baseCommit: first, terminal: { text: "old\n" } });
  });

  it("a commit, whatever the head is", async () => {
    const { folder, first } = history();
    const source = from({ kind: "local", path: folder, commit: first });

    const { report } = await runScript(folder, look, { source });

    expect(report).toMatchObject({ baseCommit: first, terminal: { text: "first\none\n" } });
  });

  it.each<[string, (folder: string) => string]>([
    ["a bare repository", (folder) => clone(folder, "--bare")],
    ["a shallow repository", (folder) => clone(`file://${folder}`, "--depth=1")],
    ["a repository that borrows its objects", (folder) => clone(folder, "--shared")],
    ["a linked worktree", (folder) => addWorktree(folder)],
  ])("%s", async (_, make) => {
    const { folder, second } = history();

    const { report } = await runScript(make(folder), `fs.writeFileSync("a.txt", "3\\n"); ${look}`);

    expect(report.fault).toBe(null);
    expect(report).toMatchObject({
      baseCommit: second,
      patch: { files: { "a.txt": { op: "edit" } } },
    });
  });

  it("a repository of another user, named by whoever started the runner", async () => {
    const { folder, second } = history();
    for (const path of [folder, join(folder, ".git")]) chownSync(path, 12_345, 12_345);

    const { report } = await runScript(folder, look);

    expect(report).toMatchObject({ baseCommit: second, fault: null });
  });
});

function clone(folder: string, flag: string): string {
  const target = join(temporaryFolder("clone"), "repo");
  git("/", "clone", "--quiet", flag, folder, target);
  return target;
}

function addWorktree(folder: string): string {
  const target = join(temporaryFolder("worktree"), "tree");
  git(folder, "worktree", "add", "--quiet", "-b", "aside", target);
  return target;
}

describe("a source is refused", () => {
  const outcomeOf = async (root: string, source: RunRequest["source"]) => {
    const opened = await openRunner({ repositories: [root], registry: scriptRegistry });
    const { report } = await finishRun(opened, "exec_1", scriptRun(root, look, { source }));
    return report.fault;
  };

  it.each<[string, (folder: string, outside: string) => Partial<RunRequest["source"]>]>([
    ["outside the roots", (_, outside) => ({ kind: "local", path: outside })],
    ["that leads out of them", (folder) => ({ kind: "local", path: join(folder, "..", "..") })],
    [
      "that is a link out of them",
      (folder, outside) => ({ kind: "local", path: link(folder, outside) }),
    ],
    ["that is not there", (folder) => ({ kind: "local", path: join(folder, "nowhere") })],
    ["inside a repository", (folder) => ({ kind: "local", path: join(folder, "sub") })],
    ["on GitHub", () => ({ kind: "github", repo: "owner/name" })],
  ])("%s", async (_, sourceOf) => {
    const folder = makeRepository({ "sub/a.txt": "one\n" });
    const outside = makeRepository({ "a.txt": "one\n" });

    const fault = await outcomeOf(folder, from(sourceOf(folder, outside)));

    expect(fault).toMatchObject({ code: "source_not_allowed" });
  });

  it.each<[string, Partial<RunRequest["source"]>, RegExp]>([
    ["an unknown branch", { branch: "nowhere" }, /no branch nowhere; create it/],
    ["an unknown commit", { commit: "1".repeat(40) }, /no commit 1{40}; fetch it/],
  ])("that names %s", async (_, more, message) => {
    const folder = makeRepository({ "a.txt": "one\n" });

    const fault = await outcomeOf(folder, from({ kind: "local", path: folder, ...more }));

    expect(fault).toMatchObject({ code: "source_unreadable" });
    expect(fault?.message).toMatch(message);
  });

  it("that has no commit yet", async () => {
    const folder = temporaryFolder("empty");
    git(folder, "init", "--quiet");

    const fault = await outcomeOf(folder, from({ kind: "local", path: folder }));

    expect(fault).toMatchObject({ code: "source_unreadable" });
    expect(fault?.message).toMatch(/make a first commit/);
  });

  it("whose objects are damaged", async () => {
    const folder = makeRepository({ "a.txt": "one\n" });
    const blob = git(folder, "rev-parse", "HEAD:a.txt");
    rmSync(join(folder, ".git/objects", blob.slice(0, 2), blob.slice(2)));

    const fault = await outcomeOf(folder, from({ kind: "local", path: folder }));

    expect(fault).toMatchObject({ code: "source_unreadable" });
  });
});

function link(folder: string, to: string): string {
  const path = join(folder, "link");
  symlinkSync(to, path);
  return path;
}

describe("bytes go through a run as they are", () => {
  const utf16 = Buffer.from("\ufeffa\n", "utf16le");
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
  const files = {
    ".gitattributes":
      "*.txt text eol=crlf\n*.ini text=auto\n*.u16 working-tree-encoding=UTF-16\n*.c ident\n*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "unix.txt": "a\nb\n",
    "windows.txt": "a\r\nb\r\n",
    "mixed.ini": "a\r\nb\n",
    "text.u16": utf16,
    "id.c": "/* $Id$ */\n",
    "large.bin": pointer,
  };
  const plant = () => {
    const folder = makeRepository({});
    git(folder, "config", "core.autocrlf", "true");
    writeFileSync(
      join(folder, ".git/info/attributes"),
      "* -text -ident -filter !working-tree-encoding\n",
    );
    writeFiles(folder, files);
    commitAll(folder, "all");
    return folder;
  };

  it("where nothing changed", async () => {
    const folder = plant();

    const { report } = await runScript(
      folder,
      `say(execFileSync("git", ["status", "--porcelain"], { encoding: "utf8" })); succeed();`,
    );

    expect(report).toMatchObject({ fault: null, patch: null, terminal: { text: "" } });
    expect(report.treeId).toBe(git(folder, "rev-parse", "HEAD^{tree}"));
  });

  it("where lines with either ending were added", async () => {
    const { report } = await runScript(
      plant(),
      `fs.appendFileSync("unix.txt", "c\\n"); fs.appendFileSync("windows.txt", "c\\r\\n"); succeed();`,
    );

    expect(report.patch?.patches).toMatchObject([
      { file: "unix.txt", block: "c\n" },
      { file: "windows.txt", block: "c\r\n" },
    ]);
  });
});

describe("the source repository", () => {
  it("has the same files, to the byte and the second, after a run", async () => {
    const { folder } = history();
    const before = snapshot(folder);

    await runScript(
      folder,
      `fs.writeFileSync("a.txt", "3\\n"); fs.writeFileSync("b", ""); succeed();`,
    );

    expect(snapshot(folder)).toEqual(before);
  });
});

function snapshot(folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const content = entry.isFile() ? readFileSync(path, "base64") : "folder";
      return [path, `${statSync(path).mtimeMs} ${content}`];
    }),
  );
}
