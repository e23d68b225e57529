import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { FoundAgent } from "./agentAdapter.ts";

const pinSchema = z.object({ dependencies: z.record(z.string(), z.string()) });

export const pinFolder = (agent: string): string => join(import.meta.dirname, "pins", agent);

/** The one version of an agent's CLI that the runner is written for. */
export async function pinnedVersion(agent: string): Promise<string> {
  const text = await readFile(join(pinFolder(agent), "package.json"), "utf8");
  const [version] = Object.values(pinSchema.parse(JSON.parse(text)).dependencies);
  if (version === undefined) throw new Error(`the pin of ${agent} names no package`);
  return version;
}

/** Where the pinned version stands once it is installed. */
export async function installedAt(agentsDirectory: string, agent: string) {
  const version = await pinnedVersion(agent);
  return { folder: join(agentsDirectory, `${agent}@${version}`), version };
}

export const notInstalled = (agent: string, version: string): FoundAgent => ({
  kind: "missing",
  message:
    `${agent} ${version} is not installed: ` +
    `run node apps/agent-runner/agents/install.ts ${agent}`,
});
