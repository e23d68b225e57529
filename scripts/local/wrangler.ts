import path from "node:path";
import type { Readable } from "node:stream";
import { chunksOf, startGuarded } from "../../apps/agent-runner/processes/guardedProcess.ts";
import { endByLadder, ladderFrom } from "../../apps/agent-runner/processes/stopLadder.ts";

export const projectRoot = path.join(import.meta.dirname, "../..");

/** The CLI itself, not its shim: a killed shim leaves the CLI and the runtime behind it alive. */
export const wranglerCli = path.join(projectRoot, "node_modules/wrangler/wrangler-dist/cli.js");

/** What wrangler needs of the caller's environment, and nothing that could hold a key. */
export function wranglerEnvironment(): Record<string, string> {
  const passed = ["PATH", "HOME", "TMPDIR", "XDG_CONFIG_HOME", "NODE_EXTRA_CA_CERTS", "LANG"];
  const cloudflare = ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"];
  const docker = [
    ...["DOCKER_HOST", "WRANGLER_DOCKER_BIN", "WRANGLER_DOCKER_HOST"],
    "MINIFLARE_CONTAINER_EGRESS_IMAGE",
  ];
  const kept = [...passed, ...cloudflare, ...docker].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(kept),
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    NO_COLOR: "1",
    CI: "1",
  };
}

export type WranglerOutcome = { exitCode: number | null; stdout: string; stderr: string };

/** Runs one wrangler command to its end; a cancelled one ends with all that it started before this fails. */
export async function runWrangler(
  args: readonly string[],
  cancelled?: AbortSignal,
): Promise<WranglerOutcome> {
  cancelled?.throwIfAborted();
  const markers = { runnerId: `wrangler-${process.pid}`, executionId: "command" };
  const marked = { SWITCHYARD_RUNNER: markers.runnerId, SWITCHYARD_EXECUTION: markers.executionId };
  const argv = [process.execPath, "--no-warnings", wranglerCli, ...args];
  const env = { ...wranglerEnvironment(), ...marked };
  const child = startGuarded({ argv, cwd: projectRoot, env, stdin: "", markers });
  const end = () => void endByLadder(child, ladderFrom("SIGTERM"));
  cancelled?.addEventListener("abort", end);
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  const exit = await child.exit;
  await child.closed;
  cancelled?.removeEventListener("abort", end);
  cancelled?.throwIfAborted();
  return { exitCode: exit?.exitCode ?? null, stdout, stderr };
}

/** The same, for a command that has to work. */
export async function mustRunWrangler(
  what: string,
  args: readonly string[],
  cancelled?: AbortSignal,
): Promise<string> {
  const { exitCode, stdout, stderr } = await runWrangler(args, cancelled);
  if (exitCode === 0) return stdout;
  const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-8).join("\n");
  throw new Error(`${what} failed (wrangler ended with ${exitCode}):\n${said}`);
}

async function textOf(output: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(output)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
