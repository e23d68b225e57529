import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { findMarked, startOf } from "../../apps/agent-runner/processes/processTable.ts";
import { startModelServer } from "../../apps/scripted-model/model-server.mjs";
import { makeRepo } from "../../apps/scripted-model/sampleRepos.mjs";
import { fingerprint, git } from "../../scripts/demo/repository.ts";

const run = promisify(execFile);
const root = path.join(import.meta.dirname, "../..");
const noKeys = { ANTHROPIC_API_KEY: "", CLAUDE_API_KEY: "", GEMINI_API_KEY: "" };

type Ended = { code: number; stdout: string; stderr: string };

const script = async (
  name: string,
  args: string[],
  env: Record<string, string> = noKeys,
): Promise<Ended> => {
  try {
    const { stdout, stderr } = await run(
      process.execPath,
      ["--no-warnings", `scripts/${name}.ts`, ...args],
      {
        cwd: root,
        env: { ...process.env, ...env },
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
};
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
      validation: { status: "passed" },
      commit: {
        branch: expect.stringMatching(/^factory\/ORD-/),
        sha: expect.stringMatching(/^[0-9a-f]{40}$/),
      },
      agent: { name: "gemini", version: "0.61.0" },
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
      "started, version 0.61.0",
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
      validation: { status: "passed" },
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

describe("npm start", () => {
  let child: ChildProcess | undefined;
  const state = path.join(os.tmpdir(), `switchyard-start-${process.pid}`);

  afterEach(() => {
    child?.kill("SIGKILL");
    rmSync(state, { recursive: true, force: true, maxRetries: 5 });
  });

  const start = (...args: string[]) => {
    const started = spawn(
      process.execPath,
      ["--no-warnings", "scripts/start.ts", "--state", state, "--port", "0", ...args],
      { cwd: root, env: { ...process.env, ...noKeys }, stdio: ["ignore", "pipe", "pipe"] },
    );
    child = started;
    let printed = "";
    started.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    const starting = new Promise<void>((resolve) => {
      started.stdout.once("data", () => resolve());
    });
    const greeting = new Promise<{ url: string; token: string }>((resolve, reject) => {
      started.once("exit", () => reject(new Error(`it ended: ${printed}`)));
      started.stdout.on("data", () => {
        if (!printed.includes("Ctrl-C")) return;
        resolve({
          url: /URL\s+(\S+)/.exec(printed)?.[1] ?? "",
          token: /token\s+(\S+)/.exec(printed)?.[1] ?? "",
        });
      });
    });
    const ended = new Promise<number | null>((resolve) => started.once("exit", resolve));
    greeting.catch(() => {});
    return { started, starting, greeting, ended };
  };
  const deploymentId = async () => {
    const { readFile } = await import("node:fs/promises");
    return JSON.parse(await readFile(path.join(state, "secrets.json"), "utf8"))
      .deploymentId as string;
  };
  const processes = async () => findMarked([`SWITCHYARD_RUNNER=${await deploymentId()}`]);
  const untilNone = async () => {
    for (let look = 0; look < 100 && (await processes()).length > 0; look += 1)
      await new Promise((resolve) => setTimeout(resolve, 100));
    return processes();
  };

  it("prints URL and token, and Ctrl-C ends all of it", async () => {
    const { started, greeting, ended } = start();
    const { url, token } = await greeting;
    const answer = await fetch(`${url}/api/v1/tasks`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
    expect((await processes()).length).toBeGreaterThan(3);

    started.kill("SIGINT");

    expect(await ended).toBe(0);
    expect(await processes()).toEqual([]);
  });

  it("keeps its token and data over a restart, and refuses a second one beside it", async () => {
    const first = start();
    const { token } = await first.greeting;
    const second = await script("start", ["--state", state, "--port", "0"]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("runs on this state folder already");
    first.started.kill("SIGTERM");
    await first.ended;

    const again = start();
    expect((await again.greeting).token).toBe(token);
    again.started.kill("SIGINT");
    await again.ended;
  });

  it("leaves nothing behind when it is killed itself", async () => {
    const { started, greeting } = start();
    await greeting;

    started.kill("SIGKILL");

    expect(await untilNone()).toEqual([]);
  });

  it("ends all that it has started when Ctrl-C comes before it is ready", async () => {
    const { started, starting, ended } = start();
    await starting;
    while (!existsSync(path.join(state, "running.json")))
      await new Promise((resolve) => setTimeout(resolve, 10));

    started.kill("SIGINT");

    expect(await ended).toBe(1);
    expect(existsSync(path.join(state, "running.json"))).toBe(false);
    expect(await processes()).toEqual([]);
  });

  it("takes another port when the wanted one is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const { started, greeting, ended } = start("--port", String(port));

    const { url } = await greeting;

    expect(url).not.toContain(`:${port}`);
    other.close();
    started.kill("SIGINT");
    await ended;
    expect(existsSync(path.join(state, "running.json"))).toBe(false);
    expect(startOf(started.pid ?? 0)).toBeNull();
  });
});
