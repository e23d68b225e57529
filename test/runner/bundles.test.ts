import { describe, expect, it } from "vitest";
import { bundleHeaders, type RunnerRole } from "../../shared/contracts/runner.ts";
import { finishPatch, newFile, patchRequest, setOf } from "./kit/patchRuns.ts";
import { commitAll, git, makeRepository, writeFiles } from "./kit/repositories.ts";
import { openRunner, testToken } from "./kit/runners.ts";
import { finishRun, scriptRegistry, scriptRun, waitForEvent } from "./kit/scriptAgent.ts";

const look = `say(execFileSync("git", ["log", "--format=%s"], { encoding: "utf8" }) + execFileSync("git", ["branch", "--show-current"], { encoding: "utf8" })); succeed();`;

function history(): { folder: string; first: string } {
  const folder = makeRepository({ "a.txt": "one\n" });
  const first = git(folder, "rev-parse", "HEAD");
  writeFiles(folder, { "a.txt": "two\n" });
  commitAll(folder, "second");
  return { folder, first };
}

const upload = (url: string, name: string, body: string | ArrayBuffer) =>
  fetch(`${url}/bundles/${name}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${testToken}` },
    body,
  });

/** The bundle that the runner with the repository makes, in the hands of one that has none. */
async function moved(source: { path: string; commit?: string }, role: RunnerRole = "agents") {
  const from = await openRunner({ role: "patches", repositories: [source.path] });
  const to = await openRunner({ registry: scriptRegistry, role });
  const bundle = await from.client.call("POST", "/forge/bundle", {
    source: { kind: "local", ...source },
  });
  const stored = await upload(to.client.url, "exec_1", await bundle.arrayBuffer());
  return { to, bundle, stored };
}

describe("a source that travels as a bundle", () => {
  it("stands on its branch with its history, as the local one does", async () => {
    const { folder } = history();

    const { to, bundle, stored } = await moved({ path: folder });
    const branch = decodeURIComponent(bundle.headers.get(bundleHeaders.branch) ?? "");
    const run = scriptRun("", look, { source: { kind: "bundle", r2: "exec_1", branch } });
    const { report } = await finishRun(to, "exec_1", run);

    expect(stored.status).toBe(200);
    expect(bundle.headers.get(bundleHeaders.commit)).toBe(git(folder, "rev-parse", "HEAD"));
    expect(report).toMatchObject({ fault: null, terminal: { text: "second\nfirst\nmain\n" } });
  });

  it("may be a commit without a branch", async () => {
    const { folder, first } = history();

    const { to, bundle } = await moved({ path: folder, commit: first });
    const run = scriptRun("", look, { source: { kind: "bundle", r2: "exec_1", commit: first } });
    const { report } = await finishRun(to, "exec_1", run);

    expect(bundle.headers.get(bundleHeaders.branch)).toBe("");
    expect(report).toMatchObject({ fault: null, baseCommit: first, terminal: { text: "first\n" } });
  });

  it("is what a patch set is tried on where no repository is, and what was denied meanwhile is told", async () => {
    const { folder, first } = history();
    const { to } = await moved({ path: folder, commit: first }, "patches");
    const set = { ...setOf(folder, { "b.txt": newFile("new\n") }), base: { commit: first } };
    const commands = [
      { name: "waits", argv: ["node", "-e", "setTimeout(() => {}, 1500)"], timeoutMs: 9_000 },
      { name: "sees", argv: ["cat", "a.txt", "b.txt"], timeoutMs: 9_000 },
    ];
    const request = patchRequest("", set, {
      source: { kind: "bundle", r2: "exec_1", commit: first },
      validation: { commands },
    });

    await to.client.put("/patches/ps_1", request);
    await waitForEvent(to, "/patches/ps_1", ({ type }) => type === "command_started");
    const denied = { host: "evil.example.com", because: "host_not_allowed" };
    await to.client.answer("POST", "/patches/ps_1/denied-hosts", denied);
    const { report, events } = await finishPatch(to, request);

    expect(report).toMatchObject({
      kind: "applied",
      validation: { status: "passed", commands: [{}, { tail: "one\nnew\n" }] },
    });
    expect(events).toContainEqual({ type: "egress_denied", ...denied });
  });

  it("holds what a set was made for beside what it is brought onto", async () => {
    const { folder, first } = history();
    const onto = git(folder, "rev-parse", "HEAD");
    const { to } = await moved({ path: folder, commit: onto }, "patches");
    const set = { ...setOf(folder, { "b.txt": newFile("new\n") }), base: { commit: first } };

    const { report } = await finishPatch(
      to,
      patchRequest("", set, { source: { kind: "bundle", r2: "exec_1", commit: first }, onto }),
    );

    expect(report).toMatchObject({ kind: "applied", baseCommit: first, alreadyApplied: false });
  });

  it("that was never uploaded is a fault that says so", async () => {
    const opened = await openRunner({ registry: scriptRegistry });
    const run = scriptRun("", look, { source: { kind: "bundle", r2: "exec_9" } });

    const { report } = await finishRun(opened, "exec_1", run);

    expect(report.fault).toMatchObject({
      code: "source_unreadable",
      message: expect.stringMatching(/exec_9 was uploaded/),
    });
  });

  it.each(["..", "a%2Fb", ".hidden"])("has no name like %s", async (name) => {
    const { client } = await openRunner({ registry: scriptRegistry });

    expect((await upload(client.url, name, "x")).status).toBeGreaterThanOrEqual(400);
  });

  it("is refused when it is no bundle", async () => {
    const { client } = await openRunner({ registry: scriptRegistry });

    const response = await upload(client.url, "exec_1", "not a bundle");

    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      ok: false,
      error: { code: "source_unreadable" },
    });
  });

  it("of a repository that the runner was not started with is not made", async () => {
    const { client } = await openRunner({ role: "patches" });

    const answer = await client.answer("POST", "/forge/bundle", {
      source: { kind: "local", path: history().folder },
    });

    expect(answer).toMatchObject({ status: 422, body: { error: { code: "source_not_allowed" } } });
  });
});
