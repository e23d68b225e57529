import type { TaskRef } from "../../../orchestrator/worker/domain/ports/supervisors.ts";
import type { WaitingKind } from "../../../orchestrator/worker/domain/task.ts";
import { replayAllDeadLetters } from "../../../orchestrator/worker/services/sweep/replayDeadLetter.ts";
import { answerTask } from "../../../orchestrator/worker/services/tasks/answerTask.ts";
import { cancelTask } from "../../../orchestrator/worker/services/tasks/cancelTask.ts";
import { createTask } from "../../../orchestrator/worker/services/tasks/createTask.ts";
import { parkTask } from "../../../orchestrator/worker/services/tasks/parkTask.ts";
import { getTask, listTasks } from "../../../orchestrator/worker/services/tasks/readTasks.ts";
import type { Principal } from "../../../shared/contracts/identity.ts";
import { type CreateTask, createTaskSchema } from "../../../shared/contracts/task.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { type Approval, decideAsPerson, type Once, remakeSoon } from "./approvers.ts";
import { heldUp } from "./heldUp.ts";
import type { Before } from "./invariants.ts";
import { type RevertWish, revertAsPerson, revertSoon } from "./reverters.ts";
import type { World, WorldDeps } from "./world.ts";

export type Accepted = { organizationId: string; taskId: string; key: string };
export type CancelHeard = {
  taskId: string;
  answer: "cancelled" | "requested";
  statusThen: string;
  childThen: string | null;
};
/** What somebody wants done. */
export type Wish = { organizationId: string; project: string; key: string; orderId: string | null };

export const projectId = (organizationId: string, name: string): string =>
  `proj_${organizationId}_${name}`;

const minuteMs = 60_000;
export const organizations = ["org_a", "org_b", "org_c"] as const;

/** Those who use the deployment: they ask again until they are answered, and change their minds. */
export class People {
  readonly accepted: Accepted[] = [];
  readonly cancels: CancelHeard[] = [];
  /** What somebody wanted to let into the code, whether or not he heard the answer. */
  readonly approvals: Approval[] = [];
  /** What somebody was shown that was not his. */
  readonly leaks: string[] = [];
  readonly #world: World;
  #asking = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether somebody still waits for an answer. */
  get areWaiting(): boolean {
    return this.#asking > 0;
  }

  /** Sends a task at a time, with an order of its own or a shared one. */
  submitAt(atMs: number, wish: Wish): void {
    const request = this.#requestOf(wish);
    const times = this.#world.strikes("request_doubled") ? 2 : 1;
    this.#asking += times;
    for (let at = 0; at < times; at += 1)
      this.#world.timeline.at(atMs, () => void this.#submit(wish, request));
  }

  #requestOf({ organizationId, project, key, orderId }: Wish): CreateTask {
    const { chance } = this.#world;
    return createTaskSchema.parse({
      projectId: projectId(organizationId, project),
      prompt: `do ${key}`,
      callbackUrl: "https://hooks.test/done",
      limits: {
        maxAttempts: chance.between(1, 4),
        wallClockSeconds: chance.pick([300, 900, 3_600]),
        silenceSeconds: chance.pick([120, 600]),
        deadlineSeconds: chance.pick([3_600, 86_400]),
      },
      ...(orderId === null ? {} : { orderId }),
    });
  }

  async #submit({ organizationId, key }: Wish, request: CreateTask): Promise<void> {
    const made = await this.#until(`client ${key}`, (deps) =>
      createTask(deps, user(organizationId), request, key),
    );
    this.#asking -= 1;
    const accepted = { organizationId, taskId: made.view.id, key };
    this.accepted.push(accepted);
    this.#world.trace.tell(this.#world.nowMs, `client ${key}`, `has the answer: ${made.view.id}`);
    this.#changeMind(accepted);
  }

  #changeMind({ organizationId, taskId }: Accepted): void {
    const world = this.#world;
    const soon = () => world.chance.below(15 * minuteMs);
    if (world.strikes("parked"))
      world.timeline.after(
        world.chance.below(5_000),
        () => void this.#park(organizationId, taskId),
      );
    if (world.strikes("stranger"))
      world.timeline.after(soon(), () => void this.#pry(organizationId, taskId));
    if (world.chance.happens(0.2))
      world.timeline.after(soon(), () => world.objects.watch({ organizationId, taskId }, soon()));
  }

  /** Whoever watches acts just when something has happened: that is when it is the most awkward. */
  noticeChanges(before: Before, after: Before): void {
    const world = this.#world;
    for (const [id, task] of after.tasks) {
      if (before.tasks.get(id)?.status === task.status) continue;
      const ref = { organizationId: task.organizationId, taskId: id };
      const soonMs = world.chance.happens(0.7)
        ? world.chance.below(100)
        : world.chance.below(120_000);
      if (world.strikes("cancel"))
        world.timeline.after(soonMs, () => void this.#cancel(task.organizationId, id));
      if (task.status === "waiting_input" && world.chance.happens(0.3))
        world.timeline.after(
          soonMs,
          () => void this.#answer(ref, task.waiting?.kind ?? "question"),
        );
      remakeSoon(world, before.tasks.get(id), task);
      revertSoon(world, task, {
        ask: (wish) => void this.#revert(wish),
        submitAt: (atMs, wish) => this.submitAt(atMs, wish),
        later: (afterMs, work) => this.#later(afterMs, work),
      });
    }
  }

  #later(afterMs: number, work: () => Promise<void>): void {
    this.#asking += 1;
    this.#world.timeline.after(afterMs, async () => {
      await work();
      this.#asking -= 1;
    });
  }

  async #cancel(organizationId: string, taskId: string): Promise<void> {
    this.#asking += 1;
    const heard = await this.#until(`canceller of ${taskId}`, async (deps) => {
      try {
        const { kind, task } = await cancelTask(deps, user(organizationId), taskId);
        return {
          taskId,
          answer: kind,
          statusThen: task.status,
          childThen: await this.#childOf(taskId),
        };
      } catch (error) {
        if (error instanceof SwitchyardError && !error.retryable) return null;
        throw error;
      }
    });
    this.#asking -= 1;
    if (heard === null) return;
    this.cancels.push(heard);
    this.#world.trace.tell(this.#world.nowMs, "canceller", `${taskId}: ${heard.answer}`);
  }

  async #revert(wish: RevertWish): Promise<void> {
    const { organizationId, key } = wish;
    this.#asking += 1;
    const taskId = await this.#until(`reverter, ${key}`, (deps) =>
      revertAsPerson(deps, user(organizationId), wish),
    );
    this.#asking -= 1;
    if (taskId !== null) this.accepted.push({ organizationId, taskId, key });
  }

  async #childOf(taskId: string): Promise<string | null> {
    const { tasks } = await this.#world.stores.view();
    return tasks.find(({ parentId }) => parentId === taskId)?.status ?? null;
  }

  async #park(organizationId: string, taskId: string): Promise<void> {
    const untilMs = this.#world.nowMs + this.#world.chance.below(30 * minuteMs);
    await this.#once(`operator`, (deps) =>
      parkTask(deps, { organizationId, taskId }, "user:op", { reason: "quota", untilMs }),
    );
  }

  /** Another tenant asks for what is not his, by its id and by listing. */
  async #pry(organizationId: string, taskId: string): Promise<void> {
    const other = user(organizations.find((id) => id !== organizationId) ?? "org_x");
    await this.#once("stranger", async (deps) => {
      const shown = await getTask(deps, other, taskId).catch(refusal);
      const listed = await listTasks(deps, other, { limit: 50 });
      const cancelled = await cancelTask(deps, other, taskId).catch(refusal);
      const said = JSON.stringify({ shown, listed, cancelled });
      if (said.replaceAll(`Task ${taskId}`, "").replaceAll(`task ${taskId}`, "").includes(taskId))
        this.leaks.push(said);
    });
  }

  /** Somebody looks at what waits for a person, and at what went wrong, now and then. */
  async attend(): Promise<void> {
    this.#asking += 1;
    await this.#attend();
    this.#asking -= 1;
  }

  async #attend(): Promise<void> {
    const world = this.#world;
    const { tasks } = await world.stores.view();
    for (const { organizationId, id: taskId, status, waiting } of tasks)
      if (status === "waiting_input" && waiting !== null && world.answers(taskId))
        await this.#answer({ organizationId, taskId }, waiting.kind);
    for (const organizationId of organizations)
      if (world.chance.happens(0.3))
        await Promise.all([1, 2].map(() => this.#replay(organizationId)));
  }

  #replay(organizationId: string): Promise<unknown> {
    return this.#once("operator", (deps) =>
      replayAllDeadLetters(deps, { id: "user:op", organizationId, role: "admin" }),
    );
  }

  /** An agent has ended: just now is the time to think better of it. */
  noticeEndOfRun(taskId: string): void {
    const world = this.#world;
    if (!world.strikes("cancel")) return;
    const organizationId = this.accepted.find((one) => one.taskId === taskId)?.organizationId;
    if (organizationId !== undefined)
      world.timeline.after(
        world.chance.below(400),
        () => void this.#cancel(organizationId, taskId),
      );
  }

  /** Two people may answer at once, and the second answer may be long under way. */
  #answer(ref: TaskRef, kind: WaitingKind): Promise<unknown> {
    const { chance } = this.#world;
    const lateMs = chance.happens(0.5) ? chance.below(90_000) : 0;
    const times = chance.happens(0.5) ? [0, lateMs] : [0];
    return Promise.all(times.map((ms) => this.#answerOnce(ref, kind, ms)));
  }

  #answerOnce(ref: TaskRef, kind: WaitingKind, ms: number): Promise<unknown> {
    const once: Once = (name, work) =>
      this.#once(name, (deps) => work(heldUp(this.#world, deps, ms)));
    return kind === "approval"
      ? decideAsPerson(this.#world, this.approvals, ref, once)
      : once("person", (deps) => answerTask(deps, ref, "user:ada", "the first one"));
  }

  /** Asks again until there is an answer, as a client with an idempotency key does. */
  async #until<T>(name: string, work: (deps: WorldDeps) => Promise<T>): Promise<T> {
    for (;;) {
      const answer = await this.#once(name, work);
      if (answer.kind === "answered") return answer.value;
      await this.#world.timeline.sleep(5_000);
    }
  }

  async #once<T>(
    name: string,
    work: (deps: WorldDeps) => Promise<T>,
  ): Promise<{ kind: "answered"; value: T } | { kind: "failed" }> {
    const life = this.#world.calls.newLife(name);
    try {
      const answer = await Promise.race([work(this.#world.depsOf(life)), life.died]);
      return answer === "died" ? { kind: "failed" } : { kind: "answered", value: answer as T };
    } catch (error) {
      this.#world.trace.tell(this.#world.nowMs, name, `is refused: ${(error as Error).message}`);
      return { kind: "failed" };
    }
  }
}

const refusal = (error: unknown) => ({
  refused: error instanceof SwitchyardError ? error.code : "?",
});

export const user = (organizationId: string): Principal => ({
  id: "user:ada",
  organizationId,
  role: "member",
});
