import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { installAgent } from "../../apps/agent-runner/agents/install.ts";
import { pinFolder } from "../../apps/agent-runner/agents/installed.ts";
import { agentNames, agentRegistry } from "../../apps/agent-runner/agents/registry.ts";
import { agentPins, pinnedAgents } from "../../shared/agentPins.ts";
import { isRunning, until } from "./kit/processes.ts";
import { temporaryFolder } from "./kit/repositories.ts";
import { agentsDirectory, projectFolder } from "./kit/runners.ts";

const installProgram = join(projectFolder, "apps/agent-runner/agents/install.ts");

const install = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, ["--no-warnings", installProgram, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });

type Locked = { version?: string; integrity?: string; os?: string[]; cpu?: string[] };

/** The packages that hold an agent's program for one platform; Gemini CLI is one for all. */
const platforms = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];
const isFor = (platform: string, { os = [], cpu = [] }: Locked) =>
  os.some((name) => cpu.some((processor) => `${name}-${processor}` === platform));

describe.each(pinnedAgents)("the pin of %s", (agent) => {
  const text = readFileSync(join(pinFolder(agent), "package-lock.json"), "utf8");
  const { "": root, ...packages } = JSON.parse(text).packages as Record<string, Locked> & {
    "": { dependencies?: object; optionalDependencies?: object };
  };
  const asked = Object.entries({ ...root.dependencies, ...root.optionalDependencies });

  it("locks the one version that all of Switchyard names", () => {
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(join(pinFolder(agent), "package.json"), "utf8"),
    );

    expect(asked.length).toBeGreaterThan(0);
    expect(Object.entries({ ...dependencies, ...optionalDependencies })).toEqual(asked);
    for (const [name, version] of asked) {
      expect(version).toBe(agentPins[agent]);
      expect(packages[`node_modules/${name}`]?.version).toBe(agentPins[agent]);
    }
  });

  it("names packages by what is in them and not by where they come from", () => {
    expect(text).not.toMatch(/"resolved"|https?:\/\/(?!opencollective)/);
    for (const { integrity } of Object.values(packages))
      expect(integrity).toMatch(/^sha512-[\w+/]{86}==$/);
  });

  it("locks it for Linux and macOS, on x64 and arm64", () => {
    const native = Object.entries(packages).filter(([, { os }]) => os !== undefined);
    for (const platform of agent === "gemini" ? [] : platforms)
      expect(
        native.filter(([, locked]) => isFor(platform, locked)).length,
        platform,
      ).toBeGreaterThan(0);
  });
});

describe("an agent that is not installed", () => {
  it.each(agentNames)("%s is missing, with the way to install it", async (agent) => {
    const found = await agentRegistry[agent].find(temporaryFolder());

    expect(found).toMatchObject({ kind: "missing" });
    expect(JSON.stringify(found)).toMatch(
      agent === "cursor" ? /not on npm: .* link its program to/ : `install.ts ${agent}`,
    );
  });

  it("cannot be installed where npm does not have it", async () => {
    const agentsDirectory = temporaryFolder("agents");

    const outcome = await installAgent({ agent: "cursor", agentsDirectory });

    expect(outcome).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("not on npm"),
    });
    expect(readdirSync(agentsDirectory)).toEqual([]);
  });

  it("cannot be installed without a registry, and nothing half done is left", () => {
    const folder = temporaryFolder("agents");

    const { status, stdout } = install(["gemini", "--agents", folder], {
      npm_config_registry: "http://127.0.0.1:9/",
      npm_config_cache: temporaryFolder("cache"),
      npm_config_fetch_retries: "0",
    });

    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("registry cannot be reached"),
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("an installation that is cancelled", () => {
  it("ends npm and what npm started, and leaves no folder", async () => {
    const folder = temporaryFolder("agents");
    const sleep = `/bin/sleep 61.${process.pid}`;
    const programs = temporaryFolder("programs");
    const npm = `#!/bin/sh\n${sleep} &\ntrap '' HUP\nwhile :; do mkdir -p a/b; echo x > "a/b/$(date +%N)"; done\n`;
    writeFileSync(join(programs, "npm"), npm, { mode: 0o755 });
    vi.stubEnv("PATH", `${programs}:${process.env.PATH}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const cancelling = new AbortController();

    const installing = installAgent({
      agent: "gemini",
      agentsDirectory: folder,
      cancelled: cancelling.signal,
    });
    await until(() => isRunning(sleep));
    cancelling.abort();

    expect(await installing).toMatchObject({ kind: "failed" });
    expect(isRunning(sleep)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("the installer", () => {
  it("finds what is installed already", () => {
    const { status, stdout } = install(["gemini", "--agents", agentsDirectory]);

    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: "already_installed",
      version: agentPins.gemini,
    });
  });

  it.each([[], ["hal"], ["gemini", "claude-code"]])(
    "called with %j says how it is called",
    (...args) => {
      const { status, stderr } = install(args);

      expect(status).toBe(2);
      expect(stderr).toContain("usage:");
    },
  );
});
