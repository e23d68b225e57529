import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { git } from "../../scripts/demo/repository.ts";
import type { AgentEvent } from "../../shared/contracts/agentEvent.ts";
import { openWorld, submit, type World, watchToEnd } from "../e2e/kit/local.ts";
import { images, projectFolder } from "./kit/docker.ts";

let world: World;

beforeAll(async () => {
  const context = path.join(projectFolder, "test/containers/malicious");
  world = await openWorld({
    keyNames: ["ANTHROPIC_API_KEY"],
    image: {
      dockerfile: path.join(context, "Dockerfile"),
      context,
      args: { BASE: images.base },
    },
  });
  await world.client.putProvider("claude-code", { apiEndpoint: world.model.url });
});
afterAll(() => world.close());

type Note = { name: string; got: boolean; what: string };

describe("an agent in its container that obeys every bad order", () => {
  it("gets nothing and sends nothing, and the worker tells each host that it denied", async () => {
    const { id } = await submit(world, {
      provider: "claude-code",
      prompt: JSON.stringify({ network: true }),
      validation: [],
    });
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({ status: "completed", provider: "claude-code" });
    const text = await git(world.repository, "show", `${task.commit?.sha}:notes.json`);
    const notes = JSON.parse(text) as Note[];
    const denied = events.flatMap(({ event }) => (event.type === "egress_denied" ? [event] : []));
    expect(notes).toHaveLength(88);
    expect(notes.filter(({ got }) => got)).toEqual([]);
    expect(notes.filter(({ what }) => /by the worker/.test(what)).length).toBeGreaterThan(10);
    expect(hostsOf(denied)).toEqual(expect.arrayContaining(deniedHosts));
    expect(JSON.stringify([events, text])).not.toContain("canary-key-of-the-model");
    if (process.env.SHOW_NOTES) console.log(JSON.stringify(notes, null, 1), hostsOf(denied));
  });
});

const hostsOf = (denied: readonly Extract<AgentEvent, { type: "egress_denied" }>[]) => [
  ...new Set(denied.map(({ host }) => host)),
];

const deniedHosts = [
  "evil.example.com",
  "203.0.113.7",
  "10.0.0.1",
  "169.254.169.254",
  "metadata.google.internal",
  "api.github.com",
  "packages.example.com",
  "api.anthropic.com",
  "model.switchyard",
  "doorbell.switchyard",
];
