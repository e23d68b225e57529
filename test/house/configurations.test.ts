import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { experimental_readRawConfig as readRawConfig } from "wrangler";
import { agentNames } from "../../apps/agent-runner/agents/registry.ts";
import {
  type ProviderDefinition,
  providerNames,
  registry,
} from "../../orchestrator/worker/services/ai-providers/registry.ts";
import { agentPins, pinnedAgents } from "../../shared/agentPins.ts";
import { version } from "../../shared/version.ts";

const root = path.join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const config = (file: string) => readRawConfig({ config: path.join(root, file) }).rawConfig;

describe("the configuration of the worker", () => {
  const worker = config("wrangler.jsonc");
  const env = read("orchestrator/worker/env.ts");

  it("has every binding that the code reads, and no other", () => {
    const names = [
      ...(worker.d1_databases ?? []).map(({ binding }) => binding),
      ...(worker.r2_buckets ?? []).map(({ binding }) => binding),
      ...(worker.queues?.producers ?? []).map(({ binding }) => binding),
      ...(worker.durable_objects?.bindings ?? []).map(({ name }) => name),
    ];
    const typed = /export type Bindings = \{([^}]*)\}/.exec(env)?.[1] ?? "";
    expect([...typed.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name)).toEqual(
      expect.arrayContaining(names),
    );
    expect(names).toHaveLength([...typed.matchAll(/^ {2}(\w+):/gm)].length);
  });

  it("names only variables that the code reads", () => {
    for (const name of Object.keys(worker.vars ?? {})) expect(env).toContain(`${name}:`);
  });

  it("consumes its queue and the dead letters of it", () => {
    expect(worker.queues?.consumers).toMatchObject([
      { queue: "ai-provider-tasks", dead_letter_queue: "ai-provider-tasks-dlq" },
      { queue: "ai-provider-tasks-dlq" },
    ]);
  });

  it("holds no secret", () => {
    expect(JSON.stringify(worker.vars)).not.toMatch(/token|secret|_key/i);
  });
});

describe("the containers of the worker", () => {
  const worker = config("wrangler.jsonc");
  const [container] = worker.containers ?? [];
  const { AGENTS = "" } = (container?.image_vars ?? {}) as Record<string, string>;

  it("hold the agents that the worker believes in: every one that is pinned, or those that both name", () => {
    const told = JSON.parse(String(worker.vars?.CONTAINER_AGENTS ?? "[]")) as string[];
    expect(told.sort()).toEqual(AGENTS.split(" ").filter(Boolean).sort());
    expect(read("factory-base.Dockerfile")).toContain('ARG AGENTS=""\nCOPY shared/agentPins.json');
  });

  it("name no version of an agent anywhere else than in shared/agentPins.json", () => {
    for (const file of ["wrangler.jsonc", "factory-base.Dockerfile", "orchestrator/worker/env.ts"])
      for (const version of Object.values(agentPins)) expect(read(file)).not.toContain(version);
  });

  it("ask nobody for Docker who only develops", () => {
    expect(worker.dev?.enable_containers).toBe(false);
  });
});

describe("a factory's configuration", () => {
  const base = config("shared/base/wrangler.base.jsonc").services ?? [];
  const factories = readdirSync(path.join(root, "apps"))
    .filter((name) => name.endsWith("-factory"))
    .map((name) => `apps/${name}/wrangler.jsonc`);

  it("exists", () => {
    expect(factories.length).toBeGreaterThan(0);
    expect(base.map(({ binding }) => binding)).toContain("ORCHESTRATOR_AI_PROVIDER");
  });

  it.each(factories)("%s contains the base bindings, each with its identity", (file) => {
    const services = config(file).services ?? [];
    for (const wanted of base) {
      const found = services.find(({ binding }) => binding === wanted.binding);
      expect(found).toMatchObject(wanted);
      expect(Object.keys(Reflect.get(found ?? {}, "props") ?? {})).toEqual([
        "organization",
        "factory",
      ]);
    }
  });
});

describe("the configuration of a factory with containers of its own", () => {
  const base = config("shared/base/wrangler.containers.jsonc");
  const factories = readdirSync(path.join(root, "apps"))
    .filter((name) => name.endsWith("-factory"))
    .map((name) => config(`apps/${name}/wrangler.jsonc`))
    .filter(({ containers }) => containers !== undefined);

  it("contains what they all need, and asks nobody for Docker who only develops", () => {
    expect(factories).not.toEqual([]);
    for (const factory of factories) {
      expect(factory.services).toMatchObject(
        expect.arrayContaining([expect.objectContaining(base.services?.[0] ?? {})]),
      );
      expect(factory.durable_objects).toEqual(base.durable_objects);
      expect(factory.migrations).toEqual(base.migrations);
      expect(factory.dev).toEqual(base.dev);
      expect(factory.containers?.map(({ class_name }) => class_name)).toEqual(["AgentContainer"]);
    }
  });

  it("is one factory to the orchestrator, whichever binding it uses", () => {
    for (const { services } of factories) {
      const identities = (services ?? []).map((one) => JSON.stringify(Reflect.get(one, "props")));
      expect(new Set(identities).size).toBe(1);
    }
  });

  it("believes in the agents of its base image, which are those that are pinned", () => {
    for (const { vars } of factories) expect(vars?.CONTAINER_AGENTS).toBe(undefined);
  });

  it("names no key", () => {
    for (const { vars } of factories)
      expect(JSON.stringify(vars ?? {})).not.toMatch(/token|secret|_key/i);
  });
});

describe("names that stand in two places", () => {
  it("are the same: the version", () => {
    expect(JSON.parse(read("package.json")).version).toBe(version);
  });

  it("are the same: the plugin's wrangler and ours, so that there is one runtime", () => {
    const ours = JSON.parse(read("package.json")).devDependencies.wrangler;
    const plugin = JSON.parse(read("node_modules/@cloudflare/vitest-plugin/package.json"));
    expect(plugin.dependencies.wrangler).toBe(ours);
  });

  it("are the same: providers, and the agents that the runner can start", () => {
    const pinned = readdirSync(path.join(root, "apps/agent-runner/agents/pins"));
    expect(pinned.sort()).toEqual([...pinnedAgents].sort());
    expect([...agentNames].sort()).toEqual([...providerNames].sort());
  });

  it("are the same: unverified providers, and agents without a pin", () => {
    const unverified = providerNames.filter(
      (name) => (registry[name] as ProviderDefinition).unverified,
    );
    const pinned: readonly string[] = pinnedAgents;
    expect(unverified).toEqual(agentNames.filter((name) => !pinned.includes(name)));
  });

  it("are the same: secrets of providers, and those that env.ts reads", () => {
    const env = read("orchestrator/worker/env.ts");
    for (const name of providerNames) {
      const { secretNames, ownService }: ProviderDefinition = registry[name];
      for (const secret of [...secretNames, ...(ownService?.secretNames ?? [])])
        expect(env).toContain(`"${secret}"`);
    }
  });
});

describe("the lock files", () => {
  const locks = [
    "package-lock.json",
    ...readdirSync(path.join(root, "apps/agent-runner/agents/pins")).map(
      (name) => `apps/agent-runner/agents/pins/${name}/package-lock.json`,
    ),
  ];

  it.each(locks)("%s pins by integrity and names no registry", (file) => {
    const lock = read(file);
    expect(lock).toContain('"integrity"');
    expect(lock).not.toContain('"resolved": "http');
  });
});

describe("the dependencies", () => {
  it("each have a line in docs/dependencies.md that says why", () => {
    const { dependencies, devDependencies } = JSON.parse(read("package.json"));
    const told = read("docs/dependencies.md");
    for (const name of Object.keys({ ...dependencies, ...devDependencies }))
      expect(told).toContain(`| \`${name}\` |`);
  });
});
