import { execFile, execFileSync, type StdioOptions } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

export const projectFolder = path.join(import.meta.dirname, "../../..");

/** The images that these tests make. */
export const images = {
  base: "switchyard/factory-base:test",
  factory: "switchyard/agent-factory:test",
  malicious: "switchyard/malicious-agent:test",
} as const;

const run = promisify(execFile);

export const dockerProgram = (): string => process.env.WRANGLER_DOCKER_BIN ?? "docker";

/** What docker prints; throws when it ends with another code than 0. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run("docker", args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trimEnd();
}

/** As the user `root`, or the one that is named; never throws, since a refusal is what many tests want to see. */
export async function execIn(
  container: string,
  argv: string[],
  user = "root",
): Promise<{ exitCode: number; output: string }> {
  try {
    return { exitCode: 0, output: await docker("exec", "-u", user, container, ...argv) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exitCode: code, output: `${stdout}${stderr}`.trimEnd() };
  }
}

/** Why there are no containers on this machine, null when there are. */
export function whyNoDocker(): string | null {
  try {
    execFileSync("docker", ["info"], { stdio: "ignore", timeout: 20_000 });
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT"
      ? "docker is not installed"
      : "the docker daemon does not answer";
  }
}

export function buildImage(
  tag: string,
  file: string,
  {
    context = projectFolder,
    args = [] as readonly string[],
    stdio = "ignore" as StdioOptions,
  } = {},
): void {
  const buildArgs = args.flatMap((arg) => ["--build-arg", arg]);
  execFileSync(
    dockerProgram(),
    ["build", "-q", "-t", tag, "-f", path.join(projectFolder, file), ...buildArgs, context],
    { stdio: ["ignore", stdio, "inherit"] as StdioOptions, timeout: 1_200_000 },
  );
}
