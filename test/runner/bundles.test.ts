import { describe, expect, it } from "vitest";
import { bundleHeaders } from "../../shared/contracts/runner.ts";
import { commitAll, git, makeRepository, writeFiles } from "./kit/repositories.ts";
import { openRunner, testToken } from "./kit/runners.ts";
import { finishRun, scriptRegistry, scriptRun } from "./kit/scriptAgent.ts";

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
async function moved(source: { path: string; commit?: string }) {
  const from = await openRunner({ role: "patches", repositories: [source.path] });
  const to = await openRunner({ registry: scriptRegistry });
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
