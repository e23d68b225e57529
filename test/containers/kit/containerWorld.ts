import { readdir } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { openWorld, type World } from "../../e2e/kit/local.ts";
import { docker } from "./docker.ts";

export type ContainerWorld = World & {
  /** The containers of agents that this deployment has now; those of others on this machine do not count. */
  containers(): Promise<string[]>;
  untilNoContainer(): Promise<void>;
};

/** Switchyard on this machine, with agents in containers. */
export async function openContainerWorld(
  choice: Parameters<typeof openWorld>[0],
): Promise<ContainerWorld> {
  const world = await openWorld(choice);
  const containers = async () =>
    (await namesOfContainers(world.folder)).filter((name) => !name.endsWith("-proxy"));
  return {
    ...world,
    containers,
    async untilNoContainer() {
      for (let tries = 0; (await containers()).length > 0; tries += 1) {
        if (tries > 100) expect.fail("the container of a run that is over goes on");
        await sleep(100);
      }
    },
    /** `wrangler dev` leaves the network sidecar of a container behind when it ends. */
    async close() {
      const left = await namesOfContainers(world.folder, "--all");
      await world.close();
      if (left.length > 0) await docker("rm", "--force", ...left).catch(() => "");
    },
  };
}

/** A container's name holds the id of its object, and that of an object is the name of its file. */
async function namesOfContainers(folder: string, ...which: string[]): Promise<string[]> {
  const objects = path.join(folder, "state/cloudflare/v3/do/switchyard-AgentContainer");
  const files = await readdir(objects).catch(() => []);
  const ids = files.flatMap((name) => /^([0-9a-f]{64})\.sqlite$/.exec(name)?.[1] ?? []);
  const format = ["--filter", "name=AgentContainer", "--format", "{{.Names}}"];
  const names = (await docker("ps", ...which, ...format)).split("\n");
  return names.filter((name) => ids.some((id) => name.includes(id)));
}
