import { env, exports } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { runnersOf, validatorsOf } from "../../orchestrator/worker/composeRunners.ts";
import type { Attempt } from "../../orchestrator/worker/domain/ports/supervisorMemory.ts";
import { readEnv } from "../../orchestrator/worker/env.ts";
import { getProviderStatus } from "../../orchestrator/worker/services/ai-providers/providerStatus.ts";
import type { TaskOpsContract } from "../../shared/contracts/providerOps.ts";
import type { RunRequest } from "../../shared/contracts/runner.ts";
import { behaviour, openedPlans } from "../fakes/fakeContainer.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import { withFactory } from "./withFactory.ts";
import { newTenant, withRunner } from "./world.ts";

type Bound<T> = (options: { props: unknown }) => T;
const taskOps = exports.TaskOps as unknown as Bound<TaskOpsContract>;
const egress = exports.ContainerEgress as unknown as Bound<Fetcher>;

const acme = { organization: "org_acme", factory: "acme" };
let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;

beforeAll(async () => {
  tenant = await newTenant("admin", acme.organization);
});

beforeEach(() => {
  runner = withRunner();
  openedPlans.length = 0;
  behaviour.onOpen = () => null;
});

const submitTo = async (settings: object) =>
  tenant.submit({ projectId: await tenant.project(settings), provider: "gemini" });

/** What the runner was asked to run. */
const requestOf = (id: string) => runner.runs.get(id)?.request as RunRequest | undefined;

describe("a task of a project that names a factory", () => {
  it("is worked on in that factory's containers, with a token in the place of the key", async () => {
    const { id } = await submitTo({ factory: "acme", allowedHosts: ["packages.example.com"] });

    const task = await tenant.until(id, "completed");

    const [plan] = openedPlans;
    const executionId = task.execution?.id ?? "";
    expect(task.execution).toMatchObject({ factory: "acme", provider: "gemini" });
    expect(task.log.map(({ message }) => message).join()).toContain(
      "in the containers of acme (the project names it)",
    );
    expect(plan).toMatchObject({
      executionId,
      model: "at_orchestrator",
      allowedHosts: ["packages.example.com"],
    });
    expect(requestOf(executionId)).toMatchObject({
      endpoint: "http://model.switchyard",
      secrets: { GEMINI_API_KEY: plan?.token },
      source: { kind: "bundle", r2: executionId },
    });
    expect(runner.bundles.get(executionId)).toBe("a bundle of main");
    expect(JSON.stringify([plan, requestOf(executionId)])).not.toContain("key-of-gemini");
    await vi.waitFor(() => expect(plan?.closed).toBe(true));
  });

  it("has its commands run in a clean container of that factory, without a model service", async () => {
    const command = { name: "make", argv: ["make", "test"], timeoutMs: 2_000 };
    const allowedHosts = ["packages.example.com"];
    const { id } = await submitTo({ factory: "acme", validation: [command], allowedHosts });

    const task = await tenant.until(id, "completed");

    const run = `${task.patch?.id}-1-v1`;
    expect(task.patch?.validation).toMatchObject({ status: "passed", place: "container", run });
    expect(openedPlans).toHaveLength(2);
    expect(openedPlans[1]).toMatchObject({
      executionId: run,
      role: "patches",
      model: null,
      lifetimeMs: 15 * 60_000 + command.timeoutMs,
      allowedHosts,
    });
    expect(runner.patches.get(run)?.request).toMatchObject({
      source: { kind: "bundle", r2: run },
      validation: { commands: [command] },
    });
    await vi.waitFor(() => expect(openedPlans.every(({ closed }) => closed)).toBe(true));
  });

  it("has the commands of a revert run there too", async () => {
    const { id } = await submitTo({ factory: "acme" });
    const { patch } = await tenant.until(id, "completed");

    const path = `/api/v1/patches/${patch?.id}/revert`;
    const answer = await tenant.call("POST", path, { reason: "It broke the shop." });
    const revert = await tenant.until(
      (await answer.json<{ id: string }>()).id,
      "completed",
      "failed",
    );

    expect(revert.execution).toMatchObject({ provider: "switchyard", factory: "acme" });
  });

  it("has its commands run nowhere once the factory is not registered any more", () => {
    const deployment = readEnv(withFactory(env));
    const where = validatorsOf(deployment, runnersOf(env, deployment));
    const attempt = { organizationId: acme.organization, factory: "acme" } as Attempt;

    expect(where(attempt).kind).toBe("containers");
    expect(where({ ...attempt, factory: null }).kind).toBe("runner_of_patches");
    for (const other of [{ factory: "former" }, { organizationId: "org_other" }])
      expect(where({ ...attempt, ...other }).kind).toBe("gone");
  });

  it("is refused where the factory is not registered, and told what to do", async () => {
    const other = await newTenant();
    const ask = async (who: typeof tenant, factory: string) => {
      const answer = await who.call("POST", "/api/v1/projects", {
        name: `p-${crypto.randomUUID().slice(0, 8)}`,
        source: { kind: "local", path: "/repos/sample" },
        settings: { factory },
      });
      return { status: answer.status, ...(await answer.json<{ error: object }>()) };
    };

    for (const refusal of [await ask(tenant, "unknown"), await ask(other, "acme")])
      expect(refusal).toMatchObject({
        status: 422,
        error: {
          code: "factory_not_registered",
          message: expect.stringContaining("FACTORY_CONTAINERS"),
        },
      });
  });

  it("never gets to another organization's factory of that name, whatever the row says", async () => {
    const other = await newTenant();
    const projectId = await other.project();
    await env.DB.prepare("update projects set settings = ? where id = ?")
      .bind(JSON.stringify({ validation: [], factory: "acme" }), projectId)
      .run();

    const { id } = await other.submit({ projectId });

    expect(await other.until(id, "escalated")).toMatchObject({
      outcome: { code: "factory_not_registered" },
      execution: null,
    });
    expect(openedPlans).toEqual([]);
  });
});

describe("a task that a factory has made", () => {
  const made = async (organization: string, projectId: string) => {
    const created = await taskOps({ props: { organization, factory: "acme" } }).createTask({
      projectId,
      prompt: "Rename add to sum.",
      provider: "gemini",
    });
    return created.ok ? created.value.id : expect.fail(created.error.message);
  };

  it("is worked on in its own containers", async () => {
    const id = await made(acme.organization, await tenant.project());

    const task = await tenant.until(id, "completed");

    expect(task.execution).toMatchObject({ factory: "acme" });
    expect(openedPlans).toHaveLength(1);
  });

  it("is worked on by the deployment's runner where that organization's factory has none", async () => {
    const other = await newTenant();
    const id = await made(other.organizationId, await other.project());

    const task = await other.until(id, "completed");

    expect(task.execution).toMatchObject({ factory: null });
    expect(openedPlans).toEqual([]);
  });
});

describe("a provider, as a factory with containers of its own sees it", () => {
  it("is installed in the version of the factory's image", async () => {
    runner.agents = { gemini: { version: "9.9.9" } };
    const versionFor = async (id: string) => {
      const principal = { id, organizationId: acme.organization, role: "member" as const };
      return (await getProviderStatus(compose(withFactory(env)), principal, "gemini")).version;
    };

    expect(await versionFor("factory:acme")).toBe("0.61.0");
    expect(await versionFor("factory:other")).toBe("9.9.9");
  });
});

describe("a factory that does not answer", () => {
  it("is asked again, and nothing is lost", async () => {
    let asked = 0;
    behaviour.onOpen = () => {
      asked += 1;
      return asked === 1 ? { kind: "not_started", message: "no room" } : null;
    };
    const { id } = await submitTo({ factory: "acme" });

    const task = await tenant.until(id, "completed");

    expect(asked).toBe(2);
    expect(task).toMatchObject({ fence: 1, execution: { factory: "acme" } });
  });

  it("has lost the run when its container is gone, and the task is tried again", async () => {
    runner.onRun = () => {};
    const { id } = await submitTo({ factory: "acme" });
    const running = await tenant.until(id, "running");
    await env.AGENT_CONTAINER.getByName(running.execution?.id ?? "").close();

    await vi.waitFor(
      async () =>
        expect((await tenant.show(id)).log.map(({ message }) => message)).toContain(
          "The runner no longer knows the run. It will be tried again.",
        ),
      { timeout: 10_000 },
    );
    await tenant.call("POST", `/api/v1/tasks/${id}/cancel`);
    await tenant.until(id, "cancelled");
  });
});

describe("the registration of factories", () => {
  const parsed = (value: unknown, more: object = {}) =>
    readEnv({ ...env, ...more, FACTORY_CONTAINERS: JSON.stringify(value) }).factories;

  it("names a service binding that is there", () => {
    const one = { ...acme, binding: "FACTORY_ACME" };
    expect(() => parsed([one])).toThrow(/service binding FACTORY_ACME, which is not there/);
    expect(parsed([one], { FACTORY_ACME: egress })).toMatchObject([
      { organizationId: "org_acme", factory: "acme" },
    ]);
  });

  it("names a factory once, and well", () => {
    const one = { ...acme, binding: "FACTORY_ACME" };
    expect(() => parsed([one, one], { FACTORY_ACME: egress })).toThrow(/once/);
    expect(() => parsed([{ ...one, factory: "../x" }])).toThrow(/FACTORY_CONTAINERS/);
    expect(() => parsed({})).toThrow(/FACTORY_CONTAINERS/);
  });
});
