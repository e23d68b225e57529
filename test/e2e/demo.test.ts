import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { startModelServer } from "../../apps/scripted-model/model-server.mjs";
import { makeRepo } from "../../apps/scripted-model/sampleRepos.mjs";
import { fingerprint, git } from "../../scripts/demo/repository.ts";
import { agentPins } from "../../shared/agentPins.ts";
import { noKeys, root, script } from "./kit/scripts.ts";

const demo = (args: string[], env?: Record<string, string>) => script("demo", args, env);

describe("npm run demo", () => {
  it("--json prints one object, and the commit that it names is there", async () => {
    const { code, stdout, stderr } = await demo(["--json", "--keep"]);
    const summary = JSON.parse(stdout);
    const kept = /Kept: (\S+)/.exec(stderr)?.[1] ?? "";
    const repository = path.join(kept, "parcel-rates");

    expect(code).toBe(0);
    expect(summary).toMatchObject({
      task: { id: expect.stringMatching(/^task_/), status: "completed" },
      execution: {
        id: expect.stringMatching(/^exec_/),
        provider: "gemini",
        status: "succeeded",
        durationMs: expect.any(Number),
        usage: { inputTokens: expect.any(Number), outputTokens: expect.any(Number) },
        events: expect.any(Number),
      },
      patch: { operations: 1, files: 1 },
      validation: { status: "passed", place: "runner" },
      commit: {
        branch: expect.stringMatching(/^factory\/ORD-/),
        sha: expect.stringMatching(/^[0-9a-f]{40}$/),
      },
      agent: { name: "gemini", version: agentPins.gemini },
      model: "scripted",
    });
    expect(await git(repository, "rev-parse", summary.commit.branch)).toBe(summary.commit.sha);
    expect(await git(repository, "status", "--porcelain")).toBe("");
    expect(stderr).toContain("script on this machine");
    rmSync(kept, { recursive: true, force: true });
  });

  it("tells the story for a person, and leaves nothing behind", async () => {
    const before = temporaryFolders();

    const { code, stdout } = await demo([]);

    expect(code).toBe(0);
    for (const words of [
      `gemini ${agentPins.gemini} is here already`,
      `started, version ${agentPins.gemini}`,
      "I'll run the tests",
      "validation",
      "npm test passed",
      "+  if (subtotalCents >= FREE_FROM_CENTS) return 0;",
      "untouched but for that branch",
    ])
      expect(stdout).toContain(words);
    expect(temporaryFolders()).toEqual(before);
  });

  it.each([
    [["--agent", "skynet"], "There is no agent"],
    [["--repo", root, "--prompt", "x"], "needs a real model"],
    [["--repo", root], "--repo needs --prompt"],
    [["--prompt", "x"], "--prompt needs --repo"],
    [["--surprise"], "surprise"],
  ])("%j is refused and says how to call it", async (args, words) => {
    const { code, stdout, stderr } = await demo(args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(words);
  });

  it("works on a repository of one's own, with a key, and leaves it alone but for its new branch", async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "switchyard-own-"));
    makeRepo(folder);
    await git(folder, "init", "--quiet", "--initial-branch=trunk");
    await git(folder, "add", "--all");
    const who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    await git(folder, ...who, "commit", "--quiet", "--message", "Begin");
    writeFileSync(path.join(folder, "README.md"), "# changed, not committed\n");
    writeFileSync(path.join(folder, "untracked.txt"), "mine\n");
    const before = await fingerprint(folder);
    const model = await startModelServer();

    const { code, stdout } = await demo(
      ["--repo", folder, "--prompt", "Rename add to sum.", "--validate", "node --test", "--json"],
      { ...noKeys, GEMINI_API_KEY: "a-key", GOOGLE_GEMINI_BASE_URL: `${model.url}/s/edit` },
    );

    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({
      model: "live",
      task: { status: "completed" },
      validation: { status: "passed", place: "runner" },
      patch: { files: 2 },
    });
    expect(code).toBe(0);
    expect(await fingerprint(folder)).toBe(before);
    expect(await git(folder, "diff", "--name-only", "trunk", summary.commit.branch)).toBe(
      "src/math.js\ntest/math.test.js",
    );
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("refuses a folder that is no repository, before anything is started", async () => {
    const { code, stderr } = await demo(["--repo", os.tmpdir(), "--prompt", "x"], {
      ...noKeys,
      GEMINI_API_KEY: "some-key",
    });
    expect(code).not.toBe(0);
    expect(stderr).toContain("not a git repository");
  });
});

const temporaryFolders = () =>
  readdirSync(os.tmpdir()).filter((name) => name.startsWith("switchyard-demo-"));
