import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { type Chance, seededRandom } from "../seededRandom.ts";
import { slowHeartbeat } from "./counting.ts";
import { countCrashes, crashAt, crashPlace } from "./crashes.ts";
import { deliver, holdMessages, messageOf } from "./messages.ts";
import { type ScriptedRunner, scriptedRunner } from "./scriptedRunner.ts";
import { messagesOf, readFrames } from "./streams.ts";
import { newTenant, tickFor, withRunner } from "./world.ts";

const seeds = Array.from({ length: 200 }, (_, index) => index + 1);
/** So long the world is against a run; then it is left in peace to come to its end. */
const wildTurns = 8;
const maxTurns = 40;
const states = ["running", "patching", "validating", "delivering", "completed"];

let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;

beforeAll(async () => {
  // Messages and alarms come when a turn says so, not by themselves.
  holdMessages();
  slowHeartbeat();
  tenant = await newTenant();
  withRunner();
  projectId = await tenant.project();
});

type Run = { id: string; agent: ScriptedRunner; object: () => DurableObjectStub };

describe("a run whose supervisor is evicted, aborted and crashes at any point", () => {
  it("comes to its one end, with all its events and no other", { timeout: 300_000 }, async () => {
    const broken: string[] = [];

    for (const seed of seeds)
      try {
        const run = await takeThrough(seededRandom(seed));
        await expectOneEnd(run);
        await letBe(run);
      } catch (error) {
        broken.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
      }

    expect(broken).toEqual([]);
    expect(countCrashes()).toBeGreaterThan(seeds.length);
  });
});

/** Takes one task from its message to its end, through all that can happen to its supervisor. */
async function takeThrough(chance: Chance): Promise<Run> {
  const agent = scriptedRunner(chance, chance.between(0, 2));
  const { id } = await tenant.submit({ projectId, provider: "gemini" });
  const object = () => env.SUPERVISOR.getByName(`${tenant.organizationId}/${id}`);
  const run = { id, agent, object };
  crashAroundCalls(run);
  const happen = happenings(run, chance);

  crashAt(object().id, chance.between(0, 4));
  await happen.message();
  for (let turn = 0; turn < maxTurns && (await statusOf(id)) !== "completed"; turn += 1) {
    agent.work();
    const isWild = turn < wildTurns;
    if (!isWild) crashAt(object().id, 0);
    await happen[isWild ? chance.oneOf(kinds) : "tick"]();
  }
  crashAt(object().id, 0);
  return run;
}

const kinds = [
  "crash",
  "crash",
  "crash",
  "crash",
  "evict",
  "abort",
  "look",
  "tick",
  "message",
] as const;

function happenings(
  { id, object }: Run,
  chance: Chance,
): Record<(typeof kinds)[number], Happening> {
  const message = () => deliver("ai-provider-tasks", messageOf(tenant.organizationId, id));
  // What an object throws that crashed under a call, its caller has to bear.
  const look = () => runDurableObjectAlarm(object()).catch(() => false);
  const tick = async () => {
    await tickFor(id);
    await look();
  };
  return {
    message,
    look,
    tick,
    evict: () => evictDurableObject(object()).catch(() => {}),
    abort: () =>
      runInDurableObject(object(), (_, state) => state.abort("aborted by a test")).catch(() => {}),
    async crash() {
      crashAt(object().id, chance.between(1, 45));
      await chance.oneOf([message, tick])();
    },
  };
}
type Happening = () => Promise<unknown>;

/** A call to the runner, too, can be the last one of an object. */
function crashAroundCalls({ agent: { runner }, object }: Run): void {
  const answer = runner.fetch.bind(runner);
  runner.fetch = async (request) => {
    const isProbe = request.url.endsWith("/health");
    if (!isProbe) crashPlace(object().id);
    const response = await answer(request);
    if (!isProbe) crashPlace(object().id);
    return response;
  };
}

/** An alarm that crashed comes again by itself, seconds later: not in the middle of another run. */
const letBe = ({ object }: Run) =>
  runInDurableObject(object(), (_, state) => state.storage.deleteAlarm());

const statusOf = (id: string) =>
  env.DB.prepare("select status from tasks where id = ?").bind(id).first<string>("status");

async function expectOneEnd({ id, agent: { runner, said } }: Run): Promise<void> {
  expect(await statusOf(id)).toBe("completed");
  const frames = await readFrames(await tenant.call("GET", `/api/v1/tasks/${id}/events`));
  const ids = frames.filter(({ event }) => event !== "end").map(({ id: at }) => at);
  expect(ids).toEqual(ids.map((_, index) => `1-${index + 1}`));
  expect(messagesOf(frames)).toEqual(said);
  const told = frames.filter(({ event }) => event === "state").map(({ data }) => data.task);
  // A crash right behind a decision may keep it untold; it is never told twice, or late.
  expect(told).toEqual(states.filter((state) => told.includes(state)));
  expect(frames.at(-1)).toMatchObject({ event: "end", data: { task: "completed" } });

  const [tasks, executions, patchSets, notices] = await env.DB.batch(
    [
      "tasks where id",
      "ai_provider_executions where task_uuid",
      "patch_sets where task_id",
      "notices where task_id",
    ].map((which) => env.DB.prepare(`select * from ${which} = ?`).bind(id)),
  );
  expect(tasks?.results).toMatchObject([{ status: "completed", fence: 1 }]);
  expect(executions?.results).toMatchObject([{ status: "succeeded" }]);
  expect(patchSets?.results).toMatchObject([{ status: "delivered" }]);
  expect(notices?.results).toHaveLength(1);
  expect([runner.runs.size, runner.patches.size, runner.refs.size]).toEqual([1, 1, 1]);
}
