import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import worker from "../../orchestrator/worker/index.ts";
import type { TaskView } from "../../shared/contracts/task.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import { codeOf } from "./envelopes.ts";
import { holdMessages, messageOf, type QueueName } from "./messages.ts";
import { newTenant, newToken, withRunner } from "./world.ts";

type Letter = {
  id: string;
  taskId: string;
  status: string;
  because: string;
  replayedAs: string | null;
  replayedBy: string | null;
};
type Page = { deadLetters: Letter[]; next: string | null };

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;

// No message comes by itself: a test is the queue.
beforeAll(() => holdMessages());

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
  projectId = await tenant.project();
});

const submit = async () => (await tenant.submit({ projectId, provider: "gemini" })).id;
const deliver = async (
  body: unknown,
  to: WorkerEnv = env,
  queue: QueueName = "ai-provider-tasks",
) => {
  const id = `message of ${JSON.stringify(body)}`;
  const message = { id, timestamp: new Date(), attempts: 1, body };
  const batch = createMessageBatch(queue, [message]);
  await worker.queue(batch as MessageBatch<unknown>, to);
  const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
  return explicitAcks.length === 1 ? "acked" : "to be delivered again";
};
const bodyOf = (id: string) => messageOf(tenant.organizationId, id);
/** The queue has given up on the message. */
const giveUp = (body: unknown) => deliver(body, env, "ai-provider-tasks-dlq");
const loseMessageOf = (id: string) => giveUp(bodyOf(id));
const loseTask = async () => {
  const id = await submit();
  await loseMessageOf(id);
  return id;
};

const list = async (query = "", of: { call: typeof tenant.call } = tenant) =>
  (await of.call("GET", `/api/v1/dead-letters${query}`)).json<Page>();
const letterOf = async (taskId: string) => {
  const letter = (await list()).deadLetters.find((one) => one.taskId === taskId);
  return letter ?? expect.fail(`there is no dead letter of ${taskId}`);
};
const replay = (letterId: string) => tenant.call("POST", `/api/v1/dead-letters/${letterId}/replay`);
const noticesOf = async (id: string) => {
  const { results } = await env.DB.prepare("select body from notices where task_id = ?")
    .bind(id)
    .all<{ body: string }>();
  return results.map(({ body }) => JSON.parse(body) as unknown);
};
const executionsOf = async (id: string) => {
  const { results } = await env.DB.prepare(
    "select status, settled_at_ms is null as live from ai_provider_executions where task_uuid = ?",
  )
    .bind(id)
    .all();
  return results;
};

describe("a message that cannot be processed in any delivery", () => {
  it("hands its task to a person, with one notice", async () => {
    await tenant.call("PUT", "/api/v1/providers/gemini", {});
    await env.DB.prepare(
      "update ai_provider_configs set rate_limits = '{' where organization_id = ?",
    )
      .bind(tenant.organizationId)
      .run();
    const id = await submit();
    for (let delivery = 0; delivery < 6; delivery += 1)
      expect(await deliver(bodyOf(id))).toBe("to be delivered again");

    expect(await loseMessageOf(id)).toBe("acked");

    expect(await tenant.show(id)).toMatchObject({
      status: "escalated",
      outcome: { code: "dead_letter" },
    });
    expect(await noticesOf(id)).toMatchObject([{ taskId: id, outcome: { code: "dead_letter" } }]);
    expect(await letterOf(id)).toMatchObject({ status: "open", replayedAs: null });
  });

  it("is recorded once, however often it is given up", async () => {
    const id = await loseTask();
    const before = await tenant.show(id);

    await loseMessageOf(id);

    expect((await list()).deadLetters).toHaveLength(1);
    expect(await tenant.show(id)).toEqual(before);
    expect(await noticesOf(id)).toHaveLength(1);
  });

  it("ends an attempt that was claimed and that nobody has begun", async () => {
    const SUPERVISOR = new Proxy(env.SUPERVISOR, {
      get() {
        throw new Error("no object can be reached");
      },
    });
    const id = await submit();
    for (let delivery = 0; delivery < 2; delivery += 1)
      expect(await deliver(bodyOf(id), { ...env, SUPERVISOR })).toBe("to be delivered again");
    expect((await tenant.show(id)).status).toBe("assigned");

    await loseMessageOf(id);

    expect(await tenant.show(id)).toMatchObject({
      status: "escalated",
      outcome: { code: "dead_letter" },
      execution: { status: "lost" },
    });
    expect(await executionsOf(id)).toEqual([{ status: "lost", live: 0 }]);
    expect(await letterOf(id)).toMatchObject({ status: "open" });
  });

  it("changes nothing for a task that is over", async () => {
    const id = await submit();
    await deliver(bodyOf(id));
    const before = await tenant.until(id, "completed");

    await loseMessageOf(id);

    expect((await tenant.show(id)).updatedAtMs).toBe(before.updatedAtMs);
    expect((await tenant.show(id)).status).toBe("completed");
    expect((await list()).deadLetters).toEqual([]);
  });

  it("is noted, and no more, for a task that is at work", async () => {
    runner.onRun = () => {};
    const id = await submit();
    await deliver(bodyOf(id));
    await tenant.until(id, "running");

    await loseMessageOf(id);

    expect((await tenant.show(id)).status).toBe("running");
    expect(await letterOf(id)).toMatchObject({ status: "moot" });
  });
});

describe("a message that nobody can read", () => {
  it.each(["ai-provider-tasks", "ai-provider-tasks-dlq"] as const)(
    "is shown to the organization that it names (%s)",
    async (queue) => {
      const body = { version: 9, organization_id: tenant.organizationId, task_id: "task_x" };

      expect(await deliver(body, env, queue)).toBe("acked");
      await deliver(body, env, queue);

      const { deadLetters } = await list();
      expect(deadLetters).toMatchObject([{ taskId: "task_x", status: "moot" }]);
      expect(deadLetters[0]?.because).toContain("version");
    },
  );

  it.each([
    ["nothing", null],
    ["a text", "look at task_1"],
    ["no organization", { version: 1, task_id: "task_x" }],
  ])("is kept for the operator when it holds %s", async (_name, body) => {
    expect(await deliver(body)).toBe("acked");

    const letter = await env.DB.prepare(
      "select status, because from dead_letters where organization_id = '-' and message_id = ?",
    )
      .bind(`message of ${JSON.stringify(body)}`)
      .first<{ status: string; because: string }>();
    expect(letter?.status).toBe("moot");
    expect(letter?.because).toContain("cannot be read");
    expect((await list()).deadLetters).toEqual([]);
  });
});

describe("the list of dead letters", () => {
  it("is for admins", async () => {
    const member = await newToken(tenant.organizationId, "member");
    expect(await codeOf(await member.call("GET", "/api/v1/dead-letters"))).toBe("403 forbidden");
    for (const path of ["dl_x/replay", "replay-all"])
      expect(await codeOf(await member.call("POST", `/api/v1/dead-letters/${path}`))).toBe(
        "403 forbidden",
      );
  });

  it("shows nothing of other organizations, and lets nobody else replay", async () => {
    const { id } = await letterOf(await loseTask());
    const other = await newTenant();

    expect(await list("", other)).toEqual({ deadLetters: [], next: null });

    const answer = await other.call("POST", `/api/v1/dead-letters/${id}/replay`);
    expect(await codeOf(answer)).toBe("404 dead_letter_not_found");
  });

  it("comes newest first, a page at a time", async () => {
    const lost = [await loseTask(), await loseTask(), await loseTask()];

    const first = await list("?limit=2");
    const second = await list(`?limit=2&before=${first.next}`);

    const pages = [first, second].map(({ deadLetters }) => deadLetters.map((one) => one.taskId));
    expect(pages).toEqual([[lost[2], lost[1]], [lost[0]]]);
    expect(second.next).toBeNull();
  });

  it("can be asked for those of one status", async () => {
    const id = await loseTask();
    await giveUp({ version: 9, organization_id: tenant.organizationId });

    expect((await list("?status=open")).deadLetters).toMatchObject([{ taskId: id }]);
    expect((await list("?status=moot")).deadLetters).toHaveLength(1);
    expect((await list("?status=replayed")).deadLetters).toEqual([]);
  });
});

describe("replaying a dead letter", () => {
  it("makes a new task of the old one, which runs to its end", async () => {
    const old = await tenant.show(await loseTask());
    const letter = await letterOf(old.id);

    const answer = await replay(letter.id);

    expect(answer.status).toBe(202);
    const again = await answer.json<TaskView>();
    expect(again).toMatchObject({ replayOf: old.id, orderId: old.orderId, status: "queued" });
    await deliver(bodyOf(again.id));
    expect(await tenant.until(again.id, "completed")).toMatchObject({ prompt: old.prompt });
    expect(await tenant.show(old.id)).toEqual(old);
    expect(await letterOf(old.id)).toMatchObject({
      status: "replayed",
      replayedAs: again.id,
      replayedBy: "user:ada",
    });
  });

  it("happens once, also when it is asked for twice in the same moment", async () => {
    const letter = await letterOf(await loseTask());

    const answers = await Promise.all([replay(letter.id), replay(letter.id)]);
    const later = await replay(letter.id);

    const ids: string[] = [];
    for (const answer of [...answers, later]) ids.push((await answer.json<TaskView>()).id);
    expect(new Set(ids).size).toBe(1);
    const { tasks } = await (await tenant.call("GET", "/api/v1/tasks")).json<{
      tasks: TaskView[];
    }>();
    expect(tasks.filter(({ replayOf }) => replayOf !== null)).toHaveLength(1);
  });

  it("replays all that are open, and those alone", async () => {
    const lost = [await loseTask(), await loseTask()];
    await giveUp({ version: 9, organization_id: tenant.organizationId });
    const replayed = await loseTask();
    await replay((await letterOf(replayed)).id);

    const answer = await tenant.call("POST", "/api/v1/dead-letters/replay-all");

    expect(answer.status).toBe(202);
    const all = await answer.json<{ replayed: { taskId: string }[]; more: boolean }>();
    const origins: (string | null)[] = [];
    for (const { taskId } of all.replayed) origins.push((await tenant.show(taskId)).replayOf);
    expect(origins).toEqual(lost.toReversed());
    expect(all.more).toBe(false);
  });

  it("is refused when nothing was lost with it", async () => {
    await giveUp({ version: 9, organization_id: tenant.organizationId, task_id: "task_x" });

    const answer = await replay((await letterOf("task_x")).id);

    expect(await codeOf(answer)).toBe("409 nothing_to_replay");
    expect(await codeOf(await replay("dl_unknown"))).toBe("404 dead_letter_not_found");
  });
});
