import { describe, expect, it } from "vitest";
import type { Forge, Runner } from "../../orchestrator/worker/domain/ports/runner.ts";
import { Secret } from "../../orchestrator/worker/domain/ports/secrets.ts";
import { cliAgentService } from "../../orchestrator/worker/services/ai-providers/cli/cliAgentService.ts";
import { httpRunner } from "../../orchestrator/worker/services/runners/http/httpRunner.ts";
import { runnerForge } from "../../orchestrator/worker/services/runners/http/runnerForge.ts";
import type { NumberedEvent } from "../../shared/contracts/agentEvent.ts";
import type { CommitRequest } from "../../shared/contracts/forgeRefs.ts";
import type { PatchRunRequest, RunRequest } from "../../shared/contracts/runner.ts";
import type { Source } from "../../shared/contracts/source.ts";
import { errorTable } from "../../shared/errors.ts";
import {
  type Exchange,
  exchangeNames,
  frozen,
  frozenBase,
  frozenRepository,
  serveFrozen,
} from "./kit/frozenProtocol.ts";
import { git, makeRepository } from "./kit/repositories.ts";
import { openRunner, testToken } from "./kit/runners.ts";
import { scriptRegistry } from "./kit/scriptAgent.ts";

const addressOf = (url: string) => ({ url, token: new Secret(testToken) });
const bodyOf = <T>({ request }: Exchange) => request.body as unknown as T;
const idOf = ({ request }: Exchange) => request.path.split("/")[2] ?? "";
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    ({ code, message }) => ({ code, message }),
  );

/** Asks what an exchange asked, through the worker's adapter. */
type Ask = (worker: Runner & { forge: Forge }, exchange: Exchange) => Promise<unknown>;

const move: Ask = ({ forge }, exchange) => {
  const { source, ref, from, to } = bodyOf<{
    source: Source;
    ref: string;
    from: string | null;
    to: string;
  }>(exchange);
  return forge.moveRef(source, ref, from, to);
};
const runResult: Ask = (worker, exchange) => worker.runResult(idOf(exchange));
const patchResult: Ask = (worker, exchange) => worker.patchResult(idOf(exchange));
const health: Ask = (worker) => worker.health(3_000);

async function eventsOf(worker: Runner, kind: "runs" | "patches", id: string) {
  const events: NumberedEvent[] = [];
  await worker.follow(kind, id, { after: 0, waitMs: 0, onEvents: (some) => events.push(...some) });
  return events;
}

/** Every exchange in which the runner did what it was asked. */
const asks: Record<string, Ask> = {
  healthOfAgents: health,
  healthOfPatches: health,
  run: (worker, exchange) => worker.startRun(idOf(exchange), bodyOf<RunRequest>(exchange)),
  runEvents: (worker, exchange) => eventsOf(worker, "runs", idOf(exchange)),
  runResult,
  liveRunResult: runResult,
  cancelledRunResult: runResult,
  cancel: (worker, exchange) => worker.cancel("runs", idOf(exchange), 1, "cancel"),
  patch: (worker, exchange) => worker.startPatch(idOf(exchange), bodyOf<PatchRunRequest>(exchange)),
  patchEvents: (worker, exchange) => eventsOf(worker, "patches", idOf(exchange)),
  patchResult,
  refusedPatchResult: patchResult,
  forgeRef: async ({ forge }, exchange) => {
    const { source, ref } = bodyOf<{ source: Source; ref: string }>(exchange);
    return { commit: await forge.readRef(source, ref) };
  },
  forgeCommit: async ({ forge }, exchange) => ({
    commit: await forge.commit(bodyOf<CommitRequest>(exchange)),
  }),
  forgeMoveRef: move,
  forgeMoveRefLost: move,
};

const saidIn = ({ answer }: Exchange) =>
  answer.lines?.map((line) => JSON.parse(line) as unknown) ?? answer.body?.value;

async function hear(name: string, exchange: Exchange): Promise<unknown> {
  const address = addressOf(await serveFrozen([exchange]));
  return asks[name]?.({ ...httpRunner(address), forge: runnerForge(address) }, exchange);
}

/** What names things of its own accord, such as files or agents, has no fields that could be unknown. */
const namesOfTheirOwn = new Set(["agents", "patch", "input"]);

/** The same as a later version might say it: with one more field in every object. */
function saidLater(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => saidLater(item));
  if (value === null || typeof value !== "object" || namesOfTheirOwn.has(name)) return value;
  const fields = Object.entries(value).map(([field, item]) => [field, saidLater(item, field)]);
  return { ...Object.fromEntries(fields), addedLater: { by: "runner/1 of next year" } };
}

const later = ({ request, answer }: Exchange): Exchange => ({
  request,
  answer: {
    status: answer.status,
    ...(answer.body && { body: saidLater(answer.body) as { ok: boolean } }),
    ...(answer.lines && {
      lines: answer.lines.map((line) => JSON.stringify(saidLater(JSON.parse(line)))),
    }),
  },
});

describe("today's worker", () => {
  it("knows every exchange that was frozen", () => {
    expect([...Object.keys(asks), "refusal"].sort()).toEqual(exchangeNames.sort());
  });

  it.each(Object.keys(asks))("hears what an old runner said: %s", async (name) => {
    expect(await hear(name, frozen(name))).toEqual(saidIn(frozen(name)));
  });

  it.each(Object.keys(asks))("passes over what only a later runner says: %s", async (name) => {
    expect(await hear(name, later(frozen(name)))).toEqual(saidIn(frozen(name)));
  });

  it("hears the refusal of an old runner, and of a later one with a code of its own", async () => {
    const refusal = frozen("refusal");
    const hearRefusal = async (exchange: Exchange) => {
      const worker = httpRunner(addressOf(await serveFrozen([exchange])));
      return codeOf(worker.startRun(idOf(exchange), bodyOf<RunRequest>(exchange)));
    };
    const { error } = refusal.answer.body as unknown as { error: { message: string } };

    expect(await hearRefusal(refusal)).toEqual(error);
    expect(await hearRefusal(later(refusal))).toEqual(error);
    const coded = { ok: false, error: { ...error, code: "out_of_tokens" } };
    expect(await hearRefusal({ ...refusal, answer: { status: 409, body: coded } })).toEqual({
      code: "runner_protocol_error",
      message: error.message,
    });
  });

  it("says in clear words that a runner speaks other protocols only", async () => {
    const exchange = frozen("healthOfAgents");
    exchange.answer.body = {
      ok: true,
      value: { ...(exchange.answer.body?.value as object), protocols: ["runner/8", "runner/9"] },
    };
    const runner = httpRunner(addressOf(await serveFrozen([exchange])));
    const capabilities = {
      sources: [],
      resume: false,
      cancel: "confirmed",
      billing: "tokens",
    } as const;
    const agent = { name: "script", capabilities, credentialVariable: "GEMINI_API_KEY" };

    expect(await cliAgentService(agent, () => runner).availability(3_000)).toEqual({
      kind: "unavailable",
      code: "protocol_unsupported",
      because:
        "the runner speaks runner/8, runner/9, and Switchyard speaks runner/1: update whichever is older",
    });
  });
});

/** Today's runner, with a repository as the old worker knew one. */
async function openToday() {
  const repository = makeRepository({ "a.txt": "one\ntwo\n" });
  const base = git(repository, "rev-parse", "HEAD");
  const agents = await openRunner({ repositories: [repository], registry: scriptRegistry });
  const patches = await openRunner({ role: "patches", repositories: [repository] });
  const today = { [frozenRepository]: repository, [frozenBase]: base };
  const send = (to: typeof agents, { request }: Exchange) =>
    to.client.answer(request.method, request.path, request.body);
  return { agents, patches, today, send };
}

/** What must be in a request; the rest is for whoever wants it. */
function withoutOptional(exchange: Exchange): Exchange {
  const { model: _, endpoint, session, doorbell, approved, ...body } = exchange.request.body ?? {};
  return { ...exchange, request: { ...exchange.request, body } };
}

describe("today's runner", () => {
  it.each([
    ["as they were", (exchange: Exchange) => exchange],
    ["without their optional fields", withoutOptional],
  ])("takes the requests of an old worker, %s", async (_, form) => {
    const { agents, patches, today, send } = await openToday();

    const run = form(frozen("run", today));
    expect((await send(agents, run)).body).toMatchObject({ ok: true, value: { id: "exec_1" } });
    await agents.client.finished("/runs/exec_1");
    const { value } = frozen("runResult").answer.body as { value: { report: object } };
    const { report } = await agents.client.runResult("/runs/exec_1");
    expect(Object.keys(report ?? {})).toEqual(expect.arrayContaining(Object.keys(value.report)));
    expect(report).toMatchObject({ terminal: { ok: true }, exit: { exitCode: 0 }, fault: null });
    const { request } = frozen("runEvents");
    expect((await agents.client.call(request.method, request.path)).status).toBe(200);

    expect((await send(patches, form(frozen("patch", today)))).status).toBe(200);
    await patches.client.finished("/patches/ps_1-1");
    expect(await patches.client.patchResult("/patches/ps_1-1")).toMatchObject({
      report: { kind: "applied", validation: { status: "passed" } },
    });
    const { body } = await send(patches, frozen("forgeCommit", today));
    const { commit } = (body as { value: { commit: string } }).value;
    const { commit: oldCommit } = saidIn(frozen("forgeCommit")) as { commit: string };
    for (const name of ["forgeRef", "forgeMoveRef", "forgeMoveRefLost"]) {
      const exchange = frozen(name, { ...today, [oldCommit]: commit });
      expect((await send(patches, exchange)).body).toEqual(exchange.answer.body);
    }
  });

  it("takes a cancel of an old worker, and refuses a second run as it did then", async () => {
    const { agents, today, send } = await openToday();
    const live = frozen("run", { ...today, exec_1: "exec_2" });
    await send(agents, {
      ...live,
      request: { ...live.request, body: { ...live.request.body, prompt: "await forever();" } },
    });

    const refused = await send(agents, frozen("refusal", today));

    expect(refused).toMatchObject({ status: 409, body: { error: { code: "busy" } } });
    expect(await send(agents, frozen("cancel"))).toMatchObject({ status: 200, body: { ok: true } });
    await agents.client.finished("/runs/exec_2");
  });

  it.each(["run", "patch"])("begins no %s with a field that it does not know", async (name) => {
    const { agents, patches, today, send } = await openToday();
    const { request, answer } = frozen(name, today);
    const body = { ...request.body, addedLater: true };

    const refused = await send(name === "run" ? agents : patches, {
      request: { ...request, body },
      answer,
    });

    expect(refused).toMatchObject({ status: 422, body: { error: { code: "invalid_request" } } });
  });

  it.each(["run", "patch"])("refuses a %s in another protocol, and names its own", async (name) => {
    const { agents, patches, today } = await openToday();
    const exchange = frozen(name, today);
    const worker = httpRunner(addressOf((name === "run" ? agents : patches).runner.url));
    const body = { ...bodyOf<RunRequest & PatchRunRequest>(exchange), protocol: "runner/9" };

    const refused = codeOf(
      name === "run" ? worker.startRun("exec_1", body) : worker.startPatch("ps_1-1", body),
    );

    expect(await refused).toEqual({
      code: "protocol_unsupported",
      message: "This runner speaks runner/1, not runner/9.",
    });
    expect(errorTable.protocol_unsupported.retry).toBe("never");
  });
});
