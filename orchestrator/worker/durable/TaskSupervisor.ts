import { DurableObject } from "cloudflare:workers";
import { composeSupervisor, type Supervisor } from "../compose.ts";
import type { PokeAnswer, StartAnswer, TaskRef } from "../domain/ports/supervisors.ts";
import type { Env } from "../env.ts";
import { supervisorSql } from "./supervisorSql.ts";
import { type EndOfTask, type Position, Watchers } from "./watchers.ts";

/** How soon a watched task is looked at again when there is nothing to follow live. */
const watchedPollMs = 1_000;

/**
 * The supervisor of one task. It holds nothing in memory that its SQLite does not hold: it may be evicted at any
 * moment, and goes on from there at its next alarm, call or watcher.
 */
export class TaskSupervisor extends DurableObject<Env> {
  readonly #supervisor: Supervisor;
  readonly #watchers: Watchers;
  #end: EndOfTask | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const memory = supervisorSql(ctx.storage, Date.now, () => this.#watchers.wakeAll());
    this.#watchers = new Watchers(memory);
    this.#supervisor = composeSupervisor(env, memory, () => this.#watchers.count > 0);
  }

  start(ref: TaskRef, fence: number): Promise<StartAnswer> {
    return this.#supervisor.loop.start(ref, fence);
  }

  async poke(ref: TaskRef): Promise<PokeAnswer> {
    const answer = await this.#supervisor.loop.poke();
    if (answer.fence === 0 && this.#watchers.count > 0) await this.#findEnd(ref);
    return answer;
  }

  ring(token: string): Promise<void> {
    return this.#supervisor.loop.ring(token);
  }

  override alarm(): Promise<void> {
    return this.#supervisor.loop.wake();
  }

  /** Server-sent events of the task in the query, after the position in it. */
  override async fetch(request: Request): Promise<Response> {
    const query = new URL(request.url).searchParams;
    const ref = {
      organizationId: query.get("organization") ?? "",
      taskId: query.get("task") ?? "",
    };
    const after = { fence: Number(query.get("fence")), number: Number(query.get("number")) };
    return new Response(await this.#watch(ref, after), {
      headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    });
  }

  async #watch(ref: TaskRef, after: Position): Promise<ReadableStream<Uint8Array>> {
    await this.#findEnd(ref);
    if (this.#supervisor.highestFence() === 0 && this.#end !== null)
      return this.#watchers.replay(await this.#supervisor.transcript(ref), after, this.#end);
    const stream = this.#watchers.stream(
      after,
      () => this.#end,
      () => {
        if (this.#watchers.count === 0) this.#supervisor.loop.interrupt();
      },
    );
    this.ctx.waitUntil(this.#keepWatching(ref));
    return stream;
  }

  /** Follows the run live while somebody watches, and notices an end that came without this supervisor. */
  async #keepWatching(ref: TaskRef): Promise<void> {
    while (this.#watchers.count > 0 && this.#end === null) {
      if (!this.#supervisor.isIdle()) await this.#supervisor.loop.advance().catch(() => {});
      await this.#findEnd(ref).catch(() => {});
      if (this.#end === null) await new Promise((resolve) => setTimeout(resolve, watchedPollMs));
    }
  }

  async #findEnd(ref: TaskRef): Promise<void> {
    if (this.#end !== null || !this.#supervisor.isIdle()) return;
    this.#end = await this.#supervisor.endOf(ref);
    if (this.#end !== null) this.#watchers.wakeAll();
  }
}
