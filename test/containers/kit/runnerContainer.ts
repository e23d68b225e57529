import { randomBytes } from "node:crypto";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import type { NumberedEvent } from "../../../shared/contracts/agentEvent.ts";
import type { RunReport, RunRequest } from "../../../shared/contracts/runner.ts";
import { type Client, createClient } from "../../runner/kit/client.ts";
import { git, temporaryFolder } from "../../runner/kit/repositories.ts";
import { docker, images } from "./docker.ts";

export type RunnerContainer = { id: string; token: string; client: Client };

export type ContainerChoice = {
  image?: string;
  /** Arguments before the image's name, and after it. */
  flags?: string[];
  command?: string[];
};

/** A container with a runner that answers. It is gone when the test is. */
export async function startContainer(choice: ContainerChoice = {}): Promise<RunnerContainer> {
  const token = randomBytes(24).toString("hex");
  const id = await docker(
    ...["run", "--detach", "--publish", "127.0.0.1::8080"],
    ...["--env", `SWITCHYARD_RUNNER_TOKEN=${token}`, ...(choice.flags ?? [])],
    ...[choice.image ?? images.base, ...(choice.command ?? [])],
  );
  onTestFinished(async () => {
    await docker("rm", "--force", "--volumes", id).catch(() => "");
  });
  const port = (await docker("port", id, "8080/tcp")).split(":").at(-1);
  const client = createClient(`http://127.0.0.1:${port}`, token);
  await untilHealthy(client, id);
  return { id, token, client };
}

async function untilHealthy(client: Client, id: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const health = await client.answer("GET", "/health").catch(() => null);
    if (health?.status === 200) return;
    await sleep(100);
  }
  expect.fail(`the runner does not answer: ${await docker("logs", id)}`);
}

/** Uploads a repository's branch main as a bundle; what comes back is the source that names it. */
export async function uploadBundle(
  { client, token }: RunnerContainer,
  repository: string,
  name = "exec_1",
): Promise<RunRequest["source"]> {
  const file = `${temporaryFolder("bundle")}/source.bundle`;
  git(repository, "bundle", "create", "--quiet", file, "main");
  const { readFile } = await import("node:fs/promises");
  const response = await fetch(`${client.url}/bundles/${name}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" },
    body: await readFile(file),
  });
  expect(response.status).toBe(200);
  return { kind: "bundle", r2: name, branch: "main" };
}

export const containerRun = (
  source: RunRequest["source"],
  more: Partial<RunRequest> = {},
): RunRequest => ({
  protocol: "runner/1",
  fence: 1,
  taskId: "task_1",
  agent: "claude-code",
  prompt: "Do what the scenario says.",
  source,
  limits: { wallClockMs: 120_000, silenceMs: 120_000, maxPatchBytes: 1_000_000 },
  secrets: {},
  ...more,
});

export async function finishInContainer(
  { client }: RunnerContainer,
  request: RunRequest,
  id = "exec_1",
): Promise<{ events: NumberedEvent[]; report: RunReport }> {
  await client.put(`/runs/${id}`, request);
  const events = await client.finished(`/runs/${id}`);
  const { report } = await client.runResult(`/runs/${id}`);
  return report === null ? expect.fail("a finished run has no report") : { events, report };
}

/** The address at which containers reach a server that listens on this machine's loopback alone. */
export async function reachableFromContainers(url: string): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  const gateway = await docker(
    ...["run", "--rm", "--entrypoint", "sh", images.base, "-c"],
    "awk '$2 == \"00000000\" { print $3 }' /proc/net/route",
  );
  const bytes = gateway.match(/../g) ?? [];
  const address = bytes
    .reverse()
    .map((byte) => Number.parseInt(byte, 16))
    .join(".");
  const server = createServer((inner) => {
    const outer = connect(Number(port), hostname);
    inner.pipe(outer).pipe(inner);
    for (const socket of [inner, outer]) socket.on("error", () => inner.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://${address}:${(server.address() as { port: number }).port}${pathname}`;
}
