import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ValidationCommand } from "../../shared/contracts/runner.ts";
import { finishPatch, newFile, patchRequest, setOf } from "./kit/patchRuns.ts";
import { processesOf } from "./kit/processes.ts";
import { git, makeRepository } from "./kit/repositories.ts";
import { openRunner, testToken } from "./kit/runners.ts";
import { runScript, waitForEvent } from "./kit/scriptAgent.ts";

const open = async (files: Record<string, string> = { "a.txt": "one\ntwo\n" }) => {
  const repository = makeRepository(files);
  const opened = await openRunner({ role: "patches", repositories: [repository] });
  return { ...opened, repository };
};

const command = (name: string, ...argv: string[]): ValidationCommand => ({
  name,
  argv,
  timeoutMs: 20_000,
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const run = (name: string, script: string) => command(name, "node", "-e", script);

describe("a patch set", () => {
  it("of a run makes the tree that the run ended with", async () => {
    const script = `
      fs.writeFileSync("a.txt", "one\\n2\\n"); fs.writeFileSync("run.sh", "#!/bin/sh\\n", { mode: 0o755 });
      fs.rmSync("gone.txt"); fs.mkdirSync("d/e", { recursive: true }); fs.writeFileSync("d/e/ü.bin", Buffer.from([0, 255]));
      fs.chmodSync("mode.sh", 0o755); fs.writeFileSync("crlf.txt", "a\\r\\nB\\r\\n"); succeed();`;
    const repository = makeRepository({
      "a.txt": "one\ntwo\n",
      "gone.txt": "x\n",
      "mode.sh": "#!/bin/sh\n",
      "crlf.txt": "a\r\nb\r\n",
      ".gitattributes": "*.txt text eol=crlf\n",
    });
    const { report: run } = await runScript(repository, script);
    const opened = await openRunner({ role: "patches", repositories: [repository] });
    if (run.patch === null) return expect.fail("the run has no patch");

    const { report, events } = await finishPatch(
      opened,
      patchRequest(repository, run.patch, { expectedTreeId: run.treeId }),
    );

    expect(report).toEqual({
      kind: "applied",
      treeId: run.treeId,
      baseCommit: run.baseCommit,
      validation: { status: "none", commands: [] },
      changes: [
        { path: "a.txt", linesBefore: 2, added: 1, removed: 1 },
        { path: "crlf.txt", linesBefore: 2, added: 2, removed: 2 },
        { path: "d/e/ü.bin", linesBefore: 0, added: null, removed: null },
        { path: "gone.txt", linesBefore: 1, added: 0, removed: 1 },
        { path: "mode.sh", linesBefore: 1, added: 0, removed: 0 },
        { path: "run.sh", linesBefore: 0, added: 1, removed: 0 },
      ],
    });
    expect(events).toEqual([{ type: "patch_applied", treeId: run.treeId, files: 6 }]);
    expect(git(repository, "status", "--porcelain")).toBe("");
  });

  it("that is already there makes the tree of its base", async () => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, {
      "a.txt": {
        op: "replace",
        content: { text: "one\ntwo\n" },
        post: { sha256: sha256("one\ntwo\n") },
      },
    });

    const { report } = await finishPatch(opened, patchRequest(repository, set));

    expect(report).toMatchObject({
      kind: "applied",
      treeId: git(repository, "rev-parse", "HEAD^{tree}"),
    });
  });

  it("that does not fit is refused with every fault", async () => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, {
      "a.txt": newFile("x"),
      "../out": newFile("x"),
      "gone.txt": { op: "delete", pre: { blob: "1".repeat(40) } },
    });

    const { report } = await finishPatch(opened, patchRequest(repository, set));

    if (report.kind !== "refused") return expect.fail(report.kind);
    expect(report.faults.map(({ file, code }) => [file, code])).toEqual(
      expect.arrayContaining([
        ["a.txt", "file_exists"],
        ["../out", "bad_path"],
        ["gone.txt", "missing_file"],
      ]),
    );
  });

  it("for a protected path is refused until a person has approved it", async () => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, { ".github/workflows/x.yml": newFile("on: push\n") });

    const refused = await finishPatch(opened, patchRequest(repository, set));
    const approved = { protectedPaths: true };
    const applied = await finishPatch(opened, patchRequest(repository, set, { approved }), "ps_2");

    expect(refused.report).toMatchObject({ kind: "refused", faults: [{ code: "protected_path" }] });
    expect(applied.report).toMatchObject({ kind: "applied" });
  });

  it("that makes another tree than expected is a mismatch", async () => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, { "b.txt": newFile("x") });

    const { report, events } = await finishPatch(
      opened,
      patchRequest(repository, set, { expectedTreeId: "1".repeat(40) }),
    );

    expect(report).toMatchObject({ kind: "engine_mismatch" });
    expect(events).toEqual([]);
  });

  it("against another commit than its source names is a mistake", async () => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, { "b.txt": newFile("x") });
    const source = { kind: "local", path: repository, commit: "1".repeat(40) } as const;

    const { report } = await finishPatch(opened, patchRequest(repository, set, { source }));

    expect(report).toMatchObject({ kind: "fault", code: "invalid_request" });
  });
});

describe("validation", () => {
  it("runs every command, and tells how each ended", async () => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, { "b.txt": newFile("new\n") });
    const commands = [
      run(
        "reads",
        `console.log(require("fs").readFileSync("b.txt", "utf8")); console.error("and says")`,
      ),
      run("fails", "process.exit(3)"),
      command("is not there", "no-such-program"),
      { ...run("takes long", "setInterval(() => {}, 1000)"), timeoutMs: 300 },
      command("goes on", "true"),
    ];

    const { report, events } = await finishPatch(
      opened,
      patchRequest(repository, set, { validation: { commands } }),
    );

    if (report.kind !== "applied") return expect.fail(report.kind);
    expect(report.validation.status).toBe("failed");
    expect(
      report.validation.commands.map(({ name, status, exitCode }) => [name, status, exitCode]),
    ).toEqual([
      ["reads", "passed", 0],
      ["fails", "failed", 3],
      ["is not there", "not_started", null],
      ["takes long", "timed_out", null],
      ["goes on", "passed", 0],
    ]);
    const said = report.validation.commands[0]?.tail.split("\n").sort();
    expect(said).toEqual(["", "", "and says", "new"]);
    expect(report.validation.commands[2]?.tail).toContain("no-such-program");
    expect(events.filter(({ type }) => type === "command_finished")).toHaveLength(5);
  });

  it("passes when all commands do", async () => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, { "b.txt": newFile("new\n") });
    const commands = [command("one", "true"), command("two", "test", "-f", "b.txt")];

    const { report } = await finishPatch(
      opened,
      patchRequest(repository, set, { validation: { commands } }),
    );

    expect(report).toMatchObject({ kind: "applied", validation: { status: "passed" } });
  });

  it("has an environment of its own, without a shell and without a secret", async () => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, { "b.txt": newFile("new\n") });
    const commands = [
      run("env", "console.log(JSON.stringify({ env: process.env, node: process.execPath }))"),
      command("no shell", "echo", "$HOME;`id`"),
    ];

    const { report } = await finishPatch(
      opened,
      patchRequest(repository, set, { validation: { commands } }),
    );

    if (report.kind !== "applied") return expect.fail(report.kind);
    const [env, echo] = report.validation.commands;
    const seen = JSON.parse(env?.tail ?? "");
    expect(Object.keys(seen.env).sort()).toEqual(
      "CI HOME LANG LC_ALL NO_COLOR PATH SWITCHYARD_EXECUTION SWITCHYARD_RUNNER TERM TMPDIR".split(
        " ",
      ),
    );
    expect(seen.node).toBe(process.execPath);
    expect(echo?.tail).toBe("$HOME;`id`\n");
  });

  it("cannot change the tree that is delivered, and leaves nothing behind", async () => {
    const { repository, state, ...opened } = await open();
    const set = setOf(repository, { "b.txt": newFile("new\n") });
    const spoil = `require("fs").writeFileSync("a.txt", "spoiled"); require("child_process").spawn("sleep", ["300"], { detached: true, stdio: "inherit" })`;
    const commands = [
      run("spoils", `${spoil}; process.exit(0)`),
      command("sees it", "grep", "-q", "spoiled", "a.txt"),
    ];

    const { report } = await finishPatch(
      { ...opened, state },
      patchRequest(repository, set, { validation: { commands } }),
    );

    if (report.kind !== "applied") return expect.fail(report.kind);
    expect(report.validation.status).toBe("passed");
    const gitDir = join(state, "patches/ps_1/base.git");
    expect(git(repository, `--git-dir=${gitDir}`, "show", `${report.treeId}:a.txt`)).toBe(
      "one\ntwo",
    );
    expect(processesOf(state)).toEqual([]);
    expect(readdirSync(join(state, "patches/ps_1")).sort()).toEqual([
      "base.git",
      "events.ndjson",
      "report.json",
      "run.json",
    ]);
  });

  it("shows much output in part, keeps its end, and masks what is secret", async () => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, { "b.txt": newFile("new\n") });
    const script = `for (let n = 0; n < 20000; n += 1) console.log("line " + n + " " + "x".repeat(40)); console.log(process.argv[1]); console.log("the end")`;
    const commands = [{ ...run("much", script), argv: ["node", "-e", script, testToken] }];

    const { report, events } = await finishPatch(
      opened,
      patchRequest(repository, set, { validation: { commands } }),
    );

    if (report.kind !== "applied") return expect.fail(report.kind);
    const { tail = "" } = report.validation.commands[0] ?? {};
    const shown = events.flatMap((event) => (event.type === "command_output" ? [event.text] : []));
    expect(tail.endsWith("[secret:RUNNER_TOKEN]\nthe end\n")).toBe(true);
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(8192);
    expect(shown.join("").length).toBeLessThan(400_000);
    expect(shown.at(-1)).toContain("[cut:");
  });

  it.each(["patch_applied", "command_output"] as const)("is cancelled after %s", async (type) => {
    const { repository, ...opened } = await open();
    const set = setOf(repository, { "b.txt": newFile("new\n") });
    const commands = [
      run("waits", `console.log("here"); setInterval(() => {}, 1000)`),
      run("later", "0"),
    ];
    await opened.client.put(
      "/patches/ps_1",
      patchRequest(repository, set, { validation: { commands } }),
    );
    await waitForEvent(opened, "/patches/ps_1", (event) => event.type === type);

    await opened.client.cancel("/patches/ps_1");
    const events = await opened.client.finished("/patches/ps_1");

    expect(await opened.client.patchResult("/patches/ps_1")).toMatchObject({
      report: { kind: "stopped", by: "cancel" },
    });
    expect(events.filter(({ event }) => event.type === "command_started").length).toBeLessThan(2);
    expect(processesOf(opened.state)).toEqual([]);
    expect(existsSync(join(opened.state, "patches/ps_1/scratch"))).toBe(false);
  });
});
