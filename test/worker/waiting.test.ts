import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { tick } from "../../orchestrator/worker/entrypoints/cron.ts";
import { answerTask } from "../../orchestrator/worker/services/tasks/answerTask.ts";
import { parkTask } from "../../orchestrator/worker/services/tasks/parkTask.ts";
import { tendTask } from "../../orchestrator/worker/services/tasks/tendTask.ts";
import type { RunReport } from "../../shared/contracts/runner.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { newTenant, tickFor, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
  projectId = await tenant.project();
});

const hourMs = 3_600_000;
const prompt = "Rename add to sum.";
const submit = async () => (await tenant.submit({ projectId, provider: "gemini", prompt })).id;
const refOf = (taskId: string) => ({ organizationId: tenant.organizationId, taskId });
const answer = (id: string, text = "The one in src.") =>
  answerTask(compose(env), refOf(id), "user:ada", text);
const cancel = (id: string) => tenant.call("POST", `/api/v1/tasks/${id}/cancel`);

/** The first attempt ends with these facts, every later one well. */
const endFirstWith = (facts: Partial<RunReport>) => {
  runner.onRun = (run: RunControl) => run.finish(run.request.fence === 1 ? facts : {});
};
const asking = (kind: "question" | "plan", text: string): Partial<RunReport> => ({
  question: { kind, text },
  sessionId: "session-of-the-question",
  patch: null,
});
const startAndAsk = async (facts = asking("question", "Which add?")) => {
  endFirstWith(facts);
  const id = await submit();
  await tenant.until(id, "waiting_input");
  return id;
};
const secondRequest = () => [...runner.runs.values()][1]?.request;

const executionsOf = async (id: string) => {
  const { results } = await env.DB.prepare(
    "select fence, status from ai_provider_executions where task_uuid = ? order by fence",
  )
    .bind(id)
    .all<{ fence: number; status: string }>();
  return results.map(({ status }) => status);
};
const countNotices = (id: string) =>
  env.DB.prepare("select count(*) as n from notices where task_id = ?").bind(id).first<number>("n");
/** What a task waits for has come, or its time is over: the next tick is to find it. */
const makeDue = (id: string, change: string) =>
  env.DB.prepare(`update tasks set sweep_at_ms = 1, ${change} where id = ?`).bind(id).run();

describe("a run that ends with a question", () => {
  it("is suspended, and its task waits for a person with what was asked", async () => {
    const id = await startAndAsk();

    const task = await tenant.show(id);

    expect(task).toMatchObject({ waiting: { reason: "question: Which add?" }, outcome: null });
    expect(task.waiting?.untilMs).toBeGreaterThan(Date.now() + 23 * hourMs);
    expect(await executionsOf(id)).toEqual(["suspended"]);
    expect(await countNotices(id)).toBe(0);
  });

  it("goes on with its session and the answer, as a new attempt", async () => {
    const id = await startAndAsk();

    expect(await answer(id)).toEqual({ kind: "answered" });

    expect(await tenant.until(id, "completed")).toMatchObject({ fence: 2 });
    expect(secondRequest()).toMatchObject({
      fence: 2,
      session: { id: "session-of-the-question" },
      prompt: "The one in src.",
    });
    expect(await executionsOf(id)).toEqual(["succeeded", "succeeded"]);
  });

  it("begins anew with the task and the answer when it kept no session", async () => {
    const id = await startAndAsk({ ...asking("question", "Which add?"), sessionId: null });

    await answer(id);

    await tenant.until(id, "completed");
    expect(secondRequest()).not.toHaveProperty("session");
    expect(secondRequest()).toMatchObject({
      prompt: `${prompt}\n\nYou asked a person and were told: The one in src.`,
    });
  });

  it("can be a plan that a person agrees to", async () => {
    const id = await startAndAsk(asking("plan", "I rename add everywhere."));
    expect((await tenant.show(id)).waiting?.reason).toBe("plan: I rename add everywhere.");

    await answer(id, "Go ahead.");

    await tenant.until(id, "completed");
    expect(secondRequest()).toMatchObject({ prompt: "Go ahead." });
  });

  it("is answered once, also by two people in the same moment", async () => {
    const id = await startAndAsk();

    const answers = await Promise.all([answer(id, "This one."), answer(id, "That one.")]);

    expect(answers.map(({ kind }) => kind).sort()).toEqual(["answered", "lost"]);
    await tenant.until(id, "completed");
    expect(runner.runs.size).toBe(2);
    expect(await answer(id)).toEqual({ kind: "lost" });
  });

  it("gets the time that it has waited added to its deadline", async () => {
    const id = await startAndAsk();
    const deadline = () =>
      env.DB.prepare("select deadline_at_ms as n from tasks where id = ?").bind(id).first("n");
    const before = Number(await deadline());
    await env.DB.prepare(
      "update tasks set waiting = json_set(waiting, '$.sinceMs', ?) where id = ?",
    )
      .bind(Date.now() - hourMs, id)
      .run();

    await answer(id);

    expect(Number(await deadline()) - before).toBeGreaterThanOrEqual(hourMs);
    await tenant.until(id, "completed");
  });

  it("holds no slot while it waits", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 1 } });
    await startAndAsk();
    runner.onRun = (run) => run.finish();

    const other = await submit();

    await tenant.until(other, "completed");
  });
});

describe("a question that nobody answers", () => {
  const expire = (id: string) => makeDue(id, "waiting = json_set(waiting, '$.expiresAtMs', 1)");

  it("is left alone by the tick until its time is over", async () => {
    const id = await startAndAsk();
    await tickFor(id);

    await tendTask(compose(env), refOf(id));

    expect((await tenant.show(id)).status).toBe("waiting_input");
  });

  it("is handed to a person then, with one notice", async () => {
    const id = await startAndAsk();
    await expire(id);

    await tick(compose(env));

    expect(await tenant.until(id, "escalated")).toMatchObject({
      outcome: { code: "input_expired", message: expect.stringContaining("Which add?") },
      waiting: null,
    });
    expect(await executionsOf(id)).toEqual(["failed"]);
    expect(await countNotices(id)).toBe(1);
  });

  it("takes no answer any more", async () => {
    const id = await startAndAsk();
    await expire(id);

    expect(await answer(id)).toEqual({ kind: "lost" });
  });
});

describe("a provider that tells when it takes work again", () => {
  const parkTillLater = async () => {
    const resetAtMs = Date.now() + hourMs;
    const error = { kind: "rate_limit" as const, status: 429, message: "limit", resetAtMs };
    endFirstWith({ error });
    const id = await submit();
    await tenant.until(id, "parked");
    return { id, resetAtMs };
  };

  it("has the task parked until then", async () => {
    const { id, resetAtMs } = await parkTillLater();

    expect(await tenant.show(id)).toMatchObject({
      waiting: { reason: "provider_rate_limited", untilMs: resetAtMs },
      execution: { status: "failed" },
    });
  });

  it("is left alone by a look that comes too early", async () => {
    const { id } = await parkTillLater();

    await tendTask(compose(env), refOf(id));

    expect((await tenant.show(id)).status).toBe("parked");
    expect(runner.runs.size).toBe(1);
  });

  it("gets the task again from the first tick after it", async () => {
    const { id } = await parkTillLater();
    await makeDue(id, "not_before_ms = 1");

    await tick(compose(env));

    expect(await tenant.until(id, "completed")).toMatchObject({ fence: 2, waiting: null });
    const actions = (await tenant.show(id)).log.map(({ action }) => action);
    expect(actions.filter((action) => action === "task.unparked")).toHaveLength(1);
  });
});

describe("a queued task that is put aside", () => {
  const park = (id: string, untilMs = Date.now() + hourMs) =>
    parkTask(compose(env), refOf(id), "user:ada", { reason: "night", untilMs });
  const queue = async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", { rateLimits: { maxLive: 0 } });
    return submit();
  };

  it("says why and until when, and takes no part until then", async () => {
    const id = await queue();

    expect(await park(id)).toEqual({ kind: "parked" });

    expect(await tenant.show(id)).toMatchObject({ status: "parked", waiting: { reason: "night" } });
    expect(await park(id)).toEqual({ kind: "lost" });
  });

  it("is queued again when its time has come", async () => {
    const id = await queue();
    await park(id);
    await tenant.call("PUT", "/api/v1/providers/gemini", {});
    await makeDue(id, "not_before_ms = 1");

    await tendTask(compose(env), refOf(id));

    await tenant.until(id, "completed");
  });

  it("is not the business of a task that is at work", async () => {
    runner.onRun = () => {};
    const id = await submit();
    await tenant.until(id, "running");

    expect(await park(id)).toEqual({ kind: "lost" });
    expect(await parkTask(compose(env), refOf("task_unknown"), "user:ada", night)).toEqual({
      kind: "lost",
    });
  });
  const night = { reason: "night", untilMs: 1 };
});

describe("cancelling a task that waits", () => {
  it("for an answer ends it at once, and its suspended run with it", async () => {
    const id = await startAndAsk();

    const response = await cancel(id);

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: "cancelled", waiting: null });
    expect(await executionsOf(id)).toEqual(["cancelled"]);
    expect(await answer(id)).toEqual({ kind: "lost" });
    expect(await countNotices(id)).toBe(1);
  });

  it("for a time ends it at once", async () => {
    const error = { kind: "quota" as const, status: 429, message: "quota" };
    endFirstWith({ error: { ...error, resetAtMs: Date.now() + hourMs } });
    const id = await submit();
    await tenant.until(id, "parked");

    const response = await cancel(id);

    expect(response.status).toBe(200);
    await makeDue(id, "not_before_ms = 1");
    await tendTask(compose(env), refOf(id));
    expect((await tenant.show(id)).status).toBe("cancelled");
    expect(runner.runs.size).toBe(1);
  });
});
