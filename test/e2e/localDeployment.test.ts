import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openWorld, submit, type World, watchToEnd } from "./kit/local.ts";

let world: World;

beforeAll(async () => {
  world = await openWorld({ link: "shop" });
});
afterAll(() => world.close());

it("works on a repository that is named by a link, or as what it really is", async () => {
  const { id: projectId } = await world.client.createProject({
    name: "really",
    source: { kind: "local", path: await realpath(world.repository) },
    settings: {},
  });

  const byLink = await submit(world);
  const byRealPath = await submit(world, { projectId });

  expect(path.basename(world.repository)).toBe("shop");
  for (const { id } of [byLink, byRealPath])
    expect((await watchToEnd(world, id)).task.status).toBe("completed");
});

it("shows none of its secrets when a validation command prints the files that hold them", async () => {
  const state = path.join(world.folder, "state");
  const files = [".dev.vars", "secrets.json", "mask.json"].map((name) => path.join(state, name));
  const argv = ["cat", ...files, path.join(state, "runner-agents/runner-id")];
  const { id: projectId } = await world.client.createProject({
    name: "spilling",
    source: { kind: "local", path: world.repository },
    settings: { validation: [{ name: "spills", argv, timeoutMs: 20_000 }] },
  });

  const { id } = await submit(world, { projectId });
  const { task, events } = await watchToEnd(world, id);

  const told = JSON.stringify({ task, events });
  const secrets = JSON.parse(await readFile(path.join(state, "secrets.json"), "utf8"));
  const { deploymentId: _, ...values } = secrets as Record<string, string>;
  expect(task.patch?.validation?.status).toBe("passed");
  expect(Object.keys(values)).toHaveLength(4);
  for (const value of [...Object.values(values), "canary-key-of-the-model"])
    expect(told).not.toContain(value);
  for (const name of ["RUNNER_TOKEN", "CALLBACK_SIGNING_SECRET", "ADMIN_TOKEN", "GEMINI_API_KEY"])
    expect(told).toContain(`[secret:${name}]`);
});
