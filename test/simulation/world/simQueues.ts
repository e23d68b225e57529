import type { TaskQueue } from "../../../orchestrator/worker/domain/ports/taskQueue.ts";
import { isFinalTask } from "../../../orchestrator/worker/domain/states.ts";
import { consumeDeadLetters } from "../../../orchestrator/worker/entrypoints/deadLetters.ts";
import { consumeTasks } from "../../../orchestrator/worker/entrypoints/queue.ts";
import type { World } from "./world.ts";

type Message = { id: string; body: unknown; attempts: number };
type QueueName = "tasks" | "dead letters";

const maxRetries = 5;
/** A consumer that did not answer counts as failed after this time. */
const redeliverAfterMs = 30_000;

/** The queue and its dead-letter queue: at least once, in no order, with a bounded number of deliveries. */
export class SimQueues {
  /** Every message that was ever delivered, for the redelivery at the end. */
  readonly history: { queue: QueueName; message: Message }[] = [];
  readonly deadIds = new Set<string>();
  /** Dead letters that could not be recorded in all their deliveries either. */
  readonly lostDeadIds = new Set<string>();
  /** Messages that became dead letters when their task was over. */
  readonly deadAfterEndIds = new Set<string>();
  pending = 0;
  #count = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  port(): TaskQueue {
    return {
      send: async ({ organizationId, taskId }, delaySeconds = 0) =>
        this.post(
          { version: 1, organization_id: organizationId, task_id: taskId },
          delaySeconds * 1_000,
        ),
    };
  }

  post(body: unknown, delayMs = 0): void {
    this.#count += 1;
    const message = { id: `msg_${this.#count}`, body, attempts: 1 };
    const late = this.#world.strikes("message_delayed") ? this.#world.chance.below(900_000) : 0;
    this.#deliverLater("tasks", message, delayMs + late + this.#world.chance.below(50));
    if (this.#world.strikes("message_doubled"))
      this.#deliverLater("tasks", { ...message }, delayMs + this.#world.chance.below(60_000));
  }

  /** Delivers a message of the past once more, as if its ack had been lost. */
  async deliverAgain({ queue, message }: { queue: QueueName; message: Message }): Promise<void> {
    await this.#consume(queue, { ...message });
  }

  #deliverLater(queue: QueueName, message: Message, ms: number): void {
    this.pending += 1;
    this.#world.timeline.after(ms, () => {
      this.pending -= 1;
      void this.#deliver(queue, message);
    });
  }

  async #deliver(queue: QueueName, message: Message): Promise<void> {
    this.history.push({ queue, message: { ...message } });
    this.pending += 1;
    const verdict = await this.#consume(queue, message);
    this.pending -= 1;
    const lost = verdict.kind === "acked" && this.#world.strikes("ack_lost");
    if (verdict.kind === "acked" && !lost) return;
    if (message.attempts > maxRetries) return this.#giveUp(queue, message);
    const waitMs = verdict.kind === "retry" ? verdict.afterMs : redeliverAfterMs;
    this.#deliverLater(queue, { ...message, attempts: message.attempts + 1 }, waitMs);
  }

  #giveUp(queue: QueueName, message: Message): void {
    // A message whose ack alone was lost so often is the rarest of the rare; it ends up here all the same.
    this.#world.trace.tell(this.#world.nowMs, `queue of ${queue}`, `${message.id} is given up`);
    if (queue === "dead letters") {
      this.lostDeadIds.add(message.id);
      return;
    }
    this.deadIds.add(message.id);
    this.#deliverLater("dead letters", { ...message, attempts: 1 }, 10);
  }

  async #noteIfOver({ id, body }: Message): Promise<void> {
    const { tasks } = await this.#world.stores.view();
    const { task_id: taskId } = body as { task_id?: string };
    const task = tasks.find((one) => one.id === taskId);
    if (task !== undefined && isFinalTask(task.status)) this.deadAfterEndIds.add(id);
  }

  async #consume(
    queue: QueueName,
    message: Message,
  ): Promise<{ kind: "acked" | "died" } | { kind: "retry"; afterMs: number }> {
    const { calls } = this.#world;
    const life = calls.newLife(`consumer ${message.id}.${message.attempts}`);
    let verdict: { kind: "acked" | "died" } | { kind: "retry"; afterMs: number } = { kind: "died" };
    const delivered = {
      ...message,
      timestamp: new Date(0),
      ack() {
        verdict = { kind: "acked" };
      },
      retry(options?: { delaySeconds?: number }) {
        verdict = { kind: "retry", afterMs: (options?.delaySeconds ?? 0) * 1_000 };
      },
    };
    const consume = queue === "tasks" ? consumeTasks : consumeDeadLetters;
    const ended = consume(this.#world.depsOf(life), { messages: [delivered] });
    await Promise.race([ended, life.died]);
    if (queue === "dead letters") await this.#noteIfOver(message);
    return verdict;
  }
}
