import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findMarked, startOf } from "../../apps/agent-runner/processes/processTable.ts";
import { noKeys, root, script } from "./kit/scripts.ts";

describe("npm start", () => {
  let child: ChildProcess | undefined;
  const state = path.join(os.tmpdir(), `switchyard-start-${process.pid}`);

  afterEach(() => {
    child?.kill("SIGKILL");
    rmSync(state, { recursive: true, force: true, maxRetries: 5 });
  });

  const env: Record<string, string> = {};
  const start = (...args: string[]) => {
    const started = spawn(
      process.execPath,
      ["--no-warnings", "scripts/start.ts", "--state", state, "--port", "0", ...args],
      { cwd: root, env: { ...process.env, ...noKeys, ...env }, stdio: ["ignore", "pipe", "pipe"] },
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
    return { started, starting, greeting, ended, printed: () => printed };
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

  it("points an agent at the model service that its own variable names, and says so", async () => {
    env.GOOGLE_GEMINI_BASE_URL = "http://127.0.0.1:9/gateway";
    const { started, greeting, ended, printed } = start();
    const { url, token } = await greeting;

    const answer = await fetch(`${url}/api/v1/providers/gemini`, {
      headers: { authorization: `Bearer ${token}` },
    });

    expect(await answer.json()).toMatchObject({ apiEndpoint: env.GOOGLE_GEMINI_BASE_URL });
    expect(printed()).toContain(`${env.GOOGLE_GEMINI_BASE_URL} (by GOOGLE_GEMINI_BASE_URL)`);
    delete env.GOOGLE_GEMINI_BASE_URL;
    started.kill("SIGINT");
    await ended;
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

  it.each([
    [["--help"], 0, "stdout", "--repo PATH"],
    [["--repo", "/no/such/folder"], 2, "stderr", "--repo: there is no folder /no/such/folder."],
    [["--port", "abc"], 2, "stderr", "--port must be a number"],
    [["--agent", "skynet"], 2, "stderr", "There is no agent"],
    [
      ["--factory", "/no/such/folder"],
      2,
      "stderr",
      "--factory: there is no /no/such/folder/wrangler.jsonc.",
    ],
  ] as const)("%j ends with %i before anything is started", async (args, code, stream, words) => {
    const outcome = await script("start", ["--state", state, ...args]);

    expect(outcome.code).toBe(code);
    expect(outcome[stream]).toContain(words);
    expect(outcome.stdout).not.toContain("Starting");
    expect(existsSync(state)).toBe(false);
  });

  it("takes another port when the wanted one is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const { started, greeting, ended, printed } = start("--port", String(port));

    const { url } = await greeting;

    expect(url).not.toContain(`:${port}`);
    expect(printed()).toContain(`port ${port} is taken`);
    other.close();
    started.kill("SIGINT");
    await ended;
    expect(existsSync(path.join(state, "running.json"))).toBe(false);
    expect(startOf(started.pid ?? 0)).toBeNull();
  });
});
