import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { git } from "../../scripts/demo/repository.ts";
import type { AgentEvent } from "../../shared/contracts/agentEvent.ts";
import { submit, watchToEnd } from "../e2e/kit/local.ts";
import { type ContainerWorld, openContainerWorld } from "./kit/containerWorld.ts";
import { images, projectFolder } from "./kit/docker.ts";

let world: ContainerWorld;

beforeAll(async () => {
  const context = path.join(projectFolder, "test/containers/malicious");
  world = await openContainerWorld({
    main: path.join(projectFolder, "test/worker/shortLivedContainers.ts"),
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

/** A project of the same repository, whose agents may reach these hosts. */
const projectWith = (name: string, allowedHosts: string[]) =>
  world.client.createProject({
    name,
    source: { kind: "local", path: world.repository },
    settings: { allowedHosts },
  });

describe("a project that allows its agents a host", () => {
  it("lets them reach it by way of the worker, and one that it does not name is denied, told once", async () => {
    const { name, host, requests } = await openAllowedHost();
    const project = await projectWith("with-a-host", [name]);

    const { id } = await submit(world, {
      projectId: project.id,
      provider: "claude-code",
      prompt: JSON.stringify({ allowed: host }),
    });
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({ status: "completed" });
    const notes = await git(world.repository, "show", `${task.commit?.sha}:notes.json`);
    expect(
      (JSON.parse(notes) as Note[]).map(({ got }) => got),
      notes,
    ).toEqual([true, false, false]);
    expect(requests).toMatchObject([{ url: "/package" }]);
    expect(Object.keys(requests[0]?.headers ?? {})).not.toContain("x-forwarded-for");
    expect(Object.keys(requests[0]?.headers ?? {})).not.toContain("cookie");
    const denied = events.filter(({ event }) => event.type === "egress_denied");
    expect(denied.map(({ event }) => event)).toEqual([
      { type: "egress_denied", host: "other.example.com", because: "host_not_allowed" },
    ]);
  });
});

describe("a container that has come to the end of its lifetime", () => {
  it("is ended in the middle of its work, and its execution is lost, once", async () => {
    const project = await projectWith("short-lived", ["short-lived.example.com"]);
    const { id } = await submit(world, {
      projectId: project.id,
      provider: "claude-code",
      prompt: JSON.stringify({ stay: true }),
      limits: { maxAttempts: 1 },
    });

    const startedAt = performance.now();
    const { task, events } = await watchToEnd(world, id);

    expect(task).toMatchObject({
      status: "failed",
      outcome: { code: "lost" },
      execution: { status: "lost", fence: 1 },
    });
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    const types = events.map(({ event }) => event.type);
    expect(types).toContain("agent_started");
    expect(types).not.toContain("result");
    expect(events.every(({ id: at }) => at.startsWith("1-"))).toBe(true);
    await world.untilNoContainer();
  });
});

/**
 * On the loopback of the worker's machine, so that no container reaches it but by way of the worker. A name that
 * both could look up there is not; what counts is the host that a request asks for.
 */
async function openAllowedHost() {
  const requests: { url: string | undefined; headers: object }[] = [];
  const server = createServer(({ url, headers }, response) => {
    requests.push({ url, headers });
    response.end("a package");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { address, port } = server.address() as AddressInfo;
  return { name: address, host: `${address}:${port}`, requests };
}

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
