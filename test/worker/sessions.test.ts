import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { answerTask } from "../../orchestrator/worker/services/tasks/answerTask.ts";
import { bundleHeaders, type RunReport } from "../../shared/contracts/runner.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import { type FakeContainers, refusal, useContainers } from "./containers.ts";
import { crashAt } from "./crashes.ts";
import { newTenant, withRunner } from "./world.ts";

const archive = `${"a line of the session\n".repeat(20_000)}`;

let runner: FakeRunner;
let containers: FakeContainers;
let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;

beforeEach(async () => {
  const bundle = { [bundleHeaders.commit]: "b".repeat(40), [bundleHeaders.branch]: "main" };
  runner = withRunner();
  runner.misbehave = (_, path) =>
    path === "/forge/bundle" ? new Response("a bundle", { headers: bundle }) : undefined;
  containers = useContainers();
  asksFirst("session-1");
  tenant = await newTenant();
  projectId = await tenant.project();
});

/** The first attempt of a task leaves a session and a question, every later one changes nothing. */
function asksFirst(sessionId: string, kept: string | null = archive): void {
  const asking: Partial<RunReport> = { question: { kind: "question", text: "Which?" }, sessionId };
  containers.onRun = (run, container) => {
    container.kept = kept;
    run.finish({ patch: null, ...(run.request.fence === 1 ? asking : {}) });
  };
}

const submit = async () => (await tenant.submit({ projectId, provider: "gemini" })).id;
const refOf = (taskId: string) => ({ organizationId: tenant.organizationId, taskId });
const supervisorOf = (id: string) => env.SUPERVISOR.getByName(`${tenant.organizationId}/${id}`);

/** Lets the supervisor look again and again, without the pauses between. */
const untilAsked = (id: string) =>
  vi.waitFor(
    async () => {
      await supervisorOf(id)
        .poke(refOf(id))
        .catch(() => {});
      expect((await tenant.show(id)).status).toBe("waiting_input");
    },
    { timeout: 10_000, interval: 50 },
  );

async function answered(id: string): Promise<void> {
  const answer = await answerTask(compose(env), refOf(id), "user:ada", "This.");
  expect(answer).toEqual({ kind: "answered" });
  await tenant.until(id, "completed");
}

const sessionsOf = async (id: string) => {
  const { objects } = await env.ARTIFACTS.list({ prefix: `${tenant.organizationId}/${id}/sess` });
  return objects.map(({ key }) => key.slice(`${tenant.organizationId}/${id}/`.length));
};

describe("the session of an agent in a container", () => {
  it("is put into the container of the attempt that goes on with it, before that begins", async () => {
    const id = await submit();
    await untilAsked(id);
    containers.log.length = 0;

    await answered(id);

    expect(containers.container(0)).toMatchObject({ given: null, isClosed: true });
    expect(containers.container(1)).toMatchObject({ given: archive, isClosed: true });
    expect(containers.log.slice(0, 3)).toEqual([
      "PUT /bundles/x",
      "PUT /runs/x/session",
      "PUT /runs/x",
    ]);
    expect(await sessionsOf(id)).toEqual(["sessions/gemini/session-1.ndjson"]);
  });

  it("has left it before the container is closed, and before anybody hears of the run's end", async () => {
    const seen: unknown[] = [];
    let id = "";
    const look = async (what: string) => {
      const { status } = await tenant.show(id);
      seen.push({ what, status, kept: await sessionsOf(id) });
    };
    containers.onTake = () => look("taken");
    containers.onClose = () => look("closed");

    id = await submit();
    await untilAsked(id);

    const kept = ["sessions/gemini/session-1.ndjson"];
    expect(seen).toEqual([
      { what: "taken", status: "running", kept: [] },
      { what: "closed", status: "running", kept },
      { what: "closed", status: "waiting_input", kept },
    ]);
  });

  it("is asked for again when it could not be taken", async () => {
    const answers = [() => refusal("internal", 500), tooShort];
    containers.onTake = () => answers.shift()?.();

    const id = await submit();
    await untilAsked(id);
    await answered(id);

    expect(containers.container(1).given).toBe(archive);
  });

  it.each([
    ["again and again", 3, () => refusal("internal", 500)],
    ["for good", 1, () => refusal("session_not_found", 404)],
    ["by its size", 1, () => new Response("x", { headers: { "x-session-bytes": "1e12" } })],
  ])("that is refused %s does not keep its run from its outcome", async (_, times, answer) => {
    containers.onTake = answer;

    const id = await submit();
    await untilAsked(id);

    const asked = containers.log.filter((line) => line === "GET /runs/x/session");
    expect(asked).toHaveLength(times);
    expect(containers.container(0).isClosed).toBe(true);
    expect(await sessionsOf(id)).toEqual([]);
    await answered(id);
    expect(containers.container(1).given).toBe(null);
  });

  it.each([
    ["before it is stored", 1],
    ["right after it was stored", 2],
  ])("is taken again after a crash %s", async (_, place) => {
    const id = await submit();
    let crashes = 1;
    containers.onTake = () => {
      if (crashes-- > 0) crashAt(supervisorOf(id).id, place);
      return undefined;
    };

    await untilAsked(id);

    expect(containers.log.filter((line) => line === "GET /runs/x/session")).toHaveLength(2);
    expect(await sessionsOf(id)).toHaveLength(1);
    expect(containers.container(0).isClosed).toBe(true);
  });

  it("under an id that is none is not kept", async () => {
    asksFirst("../../org_other/x");

    const id = await submit();
    await untilAsked(id);

    expect(containers.log).not.toContain("GET /runs/x/session");
    expect((await env.ARTIFACTS.list({ prefix: "org_other" })).objects).toEqual([]);
    expect(await sessionsOf(id)).toEqual([]);
  });
});

describe("the remediation of a patch that an agent made in a container", () => {
  const remediated = async () => {
    let patches = 0;
    runner.onPatch = (patch) => {
      patches += 1;
      const stale = { index: 0, file: "src/math.js", code: "stale" as const, message: "moved" };
      patch.finish(patches === 1 ? { kind: "refused", faults: [stale] } : undefined);
    };
    projectId = await tenant.project({ remediation: { depth: 1 } });
    await tenant.until(await submit(), "completed");
  };

  it("goes on with the session of its task", async () => {
    containers.onRun = (run, container) => {
      container.kept = archive;
      run.finish({ sessionId: "session-1" });
    };

    await remediated();

    expect(containers.container(1).given).toBe(archive);
  });

  it("is asked to begin anew where that session was not kept", async () => {
    const asked: unknown[] = [];
    containers.onRun = (run) => {
      asked.push(run.request.session);
      run.finish({ sessionId: "session-1" });
    };

    await remediated();

    expect(containers.container(1).given).toBeNull();
    expect(asked).toEqual([undefined, { id: "session-1", orNew: true }]);
  });
});

describe("a session under the same id", () => {
  it("of another task is not brought, nor is that of another organization", async () => {
    await untilAsked(await submit());
    asksFirst("session-1", null);

    const another = await submit();
    await untilAsked(another);
    await answered(another);
    tenant = await newTenant();
    projectId = await tenant.project();
    const foreign = await submit();
    await untilAsked(foreign);
    await env.ARTIFACTS.put(`org_other/${foreign}/sessions/gemini/session-1.ndjson`, archive);
    await env.ARTIFACTS.put(`${foreign}/sessions/gemini/session-1.ndjson`, archive);
    await answered(foreign);

    expect([...containers.all.values()].map(({ given }) => given)).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
    expect(containers.log).not.toContain("PUT /runs/x/session");
  });
});

const tooShort = () => new Response("half", { headers: { "x-session-bytes": "1000" } });
