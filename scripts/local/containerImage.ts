import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { projectRoot } from "./wrangler.ts";

/** What the containers of agents are made from. */
export type ContainerImage = { dockerfile: string; context: string; args: Record<string, string> };

export const factoryBase: ContainerImage = {
  dockerfile: path.join(projectRoot, "factory-base.Dockerfile"),
  context: projectRoot,
  args: {},
};

const dockerProgram = (): string => process.env.WRANGLER_DOCKER_BIN ?? "docker";

/** Why there are no containers on this machine, null when there are. */
export async function whyNoDocker(): Promise<string | null> {
  const { exitCode, error } = await run(["info"]);
  if (error !== null) return "Docker is not installed";
  return exitCode === 0 ? null : "the Docker daemon does not answer";
}

/** Builds it once, so that wrangler finds every layer made already and starts as fast as ever. */
export async function buildImage(
  { dockerfile, context, args }: ContainerImage,
  cancelled: AbortSignal,
  tag = "switchyard/local",
): Promise<void> {
  const buildArgs = Object.entries(args).flatMap(([name, value]) => [
    "--build-arg",
    `${name}=${value}`,
  ]);
  const { exitCode, output } = await run(
    ["build", "-t", tag, "-f", dockerfile, ...buildArgs, context],
    cancelled,
  );
  cancelled.throwIfAborted();
  if (exitCode === 0) return;
  const said = output.trim().split("\n").slice(-6).join("\n");
  throw new Error(`The image of the containers could not be built:\n${said}`);
}

async function run(args: readonly string[], signal?: AbortSignal) {
  const child = spawn(dockerProgram(), args, {
    stdio: ["ignore", "pipe", "pipe"],
    ...(signal === undefined ? {} : { signal }),
  });
  let output = "";
  let error: Error | null = null;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-16_384);
    });
  child.on("error", (failure) => {
    error = failure;
  });
  await once(child, "close").catch(() => {});
  return { exitCode: child.exitCode, output, error: error as Error | null };
}
