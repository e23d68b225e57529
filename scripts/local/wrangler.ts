import { spawn } from "node:child_process";
import path from "node:path";

export const projectRoot = path.join(import.meta.dirname, "../..");

/** The CLI itself, not its shim: a killed shim leaves the CLI and the runtime behind it alive. */
export const wranglerCli = path.join(projectRoot, "node_modules/wrangler/wrangler-dist/cli.js");

/** What wrangler needs of the caller's environment, and nothing that could hold a key. */
export function wranglerEnvironment(): Record<string, string> {
  const passed = ["PATH", "HOME", "TMPDIR", "XDG_CONFIG_HOME", "NODE_EXTRA_CA_CERTS", "LANG"];
  const cloudflare = ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID"];
  const kept = [...passed, ...cloudflare].flatMap((name) => {
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

/** Runs one wrangler command to its end. */
export function runWrangler(args: readonly string[]): Promise<WranglerOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--no-warnings", wranglerCli, ...args], {
      cwd: projectRoot,
      env: wranglerEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const outcome = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      outcome.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      outcome.stderr += text;
    });
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, ...outcome }));
  });
}

/** The same, for a command that has to work. */
export async function mustRunWrangler(what: string, args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runWrangler(args);
  if (exitCode === 0) return stdout;
  const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-8).join("\n");
  throw new Error(`${what} failed (wrangler ended with ${exitCode}):\n${said}`);
}
