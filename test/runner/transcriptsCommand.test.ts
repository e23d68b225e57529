import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./kit/repositories.ts";
import { projectFolder } from "./kit/runners.ts";
import { transcriptsFolder } from "./kit/transcripts.ts";

const call = (...args: string[]) =>
  spawnSync(
    process.execPath,
    ["--no-warnings", join(projectFolder, "scripts/transcripts.ts"), ...args],
    { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );

const fixture = (agent: string, name: string) => join(transcriptsFolder, agent, name);

describe("npm run transcripts", () => {
  it("prints events, facts and judgement of every recording, packed or not", () => {
    const files = [fixture("codex", "edit"), join(fixture("codex", "long-tool"), "stdout.gz")];

    const { status, stdout } = call("--agent", "codex", ...files);

    expect(status).toBe(0);
    const { agent, recordings } = JSON.parse(stdout);
    expect(agent).toBe("codex");
    expect(recordings).toMatchObject([
      {
        file: files[0],
        facts: { terminal: { ok: true }, toolCalls: 3 },
        outcome: { withPatch: { kind: "patch" }, withoutPatch: { kind: "no_changes" } },
      },
      { file: files[1], facts: { toolCalls: 1 } },
    ]);
    expect(recordings[0].events[0]).toMatchObject({ type: "init", model: "gpt-5.5" });
  });

  it.each([
    ["codex", "edit-default-readonly", { code: "denied" }],
    ["codex", "error-401", { code: "provider_auth", retry: false }],
    ["codex", "hang-sigint", { code: "incomplete" }],
    ["copilot", "hang-sigint-direct", { kind: "bad" }],
    ["copilot", "no-permission", { code: "denied" }],
    ["gemini", "error-429-attempts3", { code: "provider_rate_limited", retry: true }],
  ] as const)("takes no run of %s for a success that was %s", (agent, name, outcome) => {
    const { stdout } = call("--agent", agent, fixture(agent, name));

    const [recording] = JSON.parse(stdout).recordings;
    expect(recording.outcome.withoutPatch).toMatchObject({ kind: "bad", ...outcome });
  });

  it("takes conversations too: OpenCode's events and the messages of an ACP agent", () => {
    const served = call("--agent", "opencode", fixture("opencode", "error-401"));
    const talked = call(
      "--agent",
      "acp",
      fixture("acp", "codex.error-500"),
      fixture("acp", "gemini.edit"),
    );

    expect(JSON.parse(served.stdout).recordings).toMatchObject([
      { facts: { error: { kind: "auth", status: 401 } }, outcome: { withPatch: { kind: "bad" } } },
    ]);
    expect(JSON.parse(talked.stdout).recordings).toMatchObject([
      { facts: { terminal: { ok: false } }, outcome: { withPatch: { kind: "bad" } } },
      {
        facts: { terminal: { ok: true }, toolCalls: 4 },
        outcome: { withPatch: { kind: "patch" } },
      },
    ]);
  });

  it.each([
    ["edit", { kind: "patch" }, 4, 5000],
    ["error-401", { kind: "bad", code: "provider_auth" }, 0, undefined],
    ["tool-sigterm", { kind: "bad", code: "incomplete" }, 0, undefined],
  ])("takes what opencode run printed: %s", (name, outcome, toolCalls, inputTokens) => {
    const { stdout } = call("--agent", "opencode", fixture("opencode-run", `${name}.stdout`));

    const [recording] = JSON.parse(stdout).recordings;
    expect(recording.outcome.withPatch).toMatchObject(outcome);
    expect(recording.facts.toolCalls).toBe(toolCalls);
    expect(recording.facts.usage?.inputTokens).toBe(inputTokens);
  });

  it("reads the error output and the exit code that stand beside a file", () => {
    const folder = temporaryFolder();
    const file = join(folder, "missing.stdout.gz");
    writeFileSync(file, gzipSync(""));
    writeFileSync(join(folder, "missing.stderr"), "Error: no rollout found for thread id 1\n");
    writeFileSync(join(folder, "missing.meta.txt"), "agent: codex\nargv: codex exec x\nexit: 1\n");

    const { stdout } = call("--agent", "codex", file);

    expect(JSON.parse(stdout).recordings).toMatchObject([
      { facts: { error: { kind: "invalid_request" } }, outcome: { withPatch: { kind: "bad" } } },
    ]);
  });

  it.each([
    [[], /--agent/],
    [["--agent", "hal", "x"], /no agent "hal"/],
    [["--agent", "codex"], /at least one recording/],
    [["--agent", "codex", "/nowhere/x.stdout"], /\/nowhere\/x\.stdout: there is no such file/],
    [["--loud"], /--loud/],
  ])("called with %j says what is wrong and how it is called", (args, message) => {
    const { status, stdout, stderr } = call(...args);

    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr).toContain("npm run --silent transcripts -- --agent NAME FILE...");
  });
});
