import { DurableObject } from "cloudflare:workers";
import { composeSupervision, type Supervision } from "../compose.ts";
import type { PokeAnswer, StartAnswer, TaskRef } from "../domain/ports/supervisors.ts";
import type { Env } from "../env.ts";
import { supervisorSql } from "./supervisorSql.ts";
import { type EndOfTask, type Position, Watchers } from "./watchers.ts";

const retryAfterErrorMs = 10_000;
/** How soon a watched task is looked at again when there is nothing to follow live. */
const watchedPollMs = 1_000;

/**
 * The supervisor of one task. It holds nothing in memory that its SQLite does not hold: it may be evicted at any
 * moment, and goes on from there at its next alarm, call or watcher.
 */
export class TaskSupervisor extends DurableObject<Env> {
  readonly #supervision: Supervision;
  readonly #watchers: Watchers;
  #advancing: Promise<void> | null = null;
  #lookAgain = false;
  #interrupt = new AbortController();
  #end: EndOfTask | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const memory = supervisorSql(ctx.storage, Date.now, () => this.#watchers.wakeAll());
    this.#watchers = new Watchers(memory);
    this.#supervision = composeSupervision(env, memory);
  }

  async start(ref: TaskRef, fence: number): Promise<StartAnswer> {
    const answer = this.#supervision.start(ref, fence);
    if (answer.kind === "accepted") await this.#lookSoon();
    return answer;
  }

  async poke(ref: TaskRef): Promise<PokeAnswer> {
    const fence = this.#supervision.highestFence();
    if (fence > 0) await this.#lookSoon();
    else if (this.#watchers.count > 0) await this.#findEnd(ref);
    return { fence };
  }

  /** A runner rings when something happened. Whoever rings with a wrong token is not heard. */
  async ring(token: string): Promise<void> {
    if (!this.#supervision.isDoorbell(token)) return;
    this.#interruptWait();
    await this.#advance();
  }

  override async alarm(): Promise<void> {
    try {
      await this.#advance();
    } catch {
      // An alarm that throws is dropped after a few tries, and its task with it.
      await this.ctx.storage.setAlarm(Date.now() + retryAfterErrorMs);
    }
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
    if (this.#supervision.highestFence() === 0 && this.#end !== null)
      return this.#watchers.replay(await this.#supervision.transcript(ref), after, this.#end);
    const stream = this.#watchers.stream(
      after,
      () => this.#end,
      () => {
        if (this.#watchers.count === 0) this.#interrupt.abort();
      },
    );
    this.ctx.waitUntil(this.#keepWatching(ref));
    return stream;
  }

  /** Follows the run live while somebody watches, and notices an end that came without this supervisor. */
  async #keepWatching(ref: TaskRef): Promise<void> {
    while (this.#watchers.count > 0 && this.#end === null) {
      if (!this.#supervision.isIdle()) await this.#advance().catch(() => {});
      await this.#findEnd(ref).catch(() => {});
      if (this.#end === null) await new Promise((resolve) => setTimeout(resolve, watchedPollMs));
    }
  }

  async #findEnd(ref: TaskRef): Promise<void> {
    if (this.#end !== null || !this.#supervision.isIdle()) return;
    this.#end = await this.#supervision.endOf(ref);
    if (this.#end !== null) this.#watchers.wakeAll();
  }

  /** By alarm, so that it happens even if this object is evicted before. */
  async #lookSoon(): Promise<void> {
    this.#interruptWait();
    await this.ctx.storage.setAlarm(Date.now());
  }

  #interruptWait(): void {
    this.#lookAgain = true;
    this.#interrupt.abort();
  }

  /** One advance at a time; whoever comes meanwhile waits for it, and it looks once more. */
  #advance(): Promise<void> {
    this.#advancing ??= this.#advanceUntilQuiet().finally(() => {
      this.#advancing = null;
    });
    return this.#advancing;
  }

  async #advanceUntilQuiet(): Promise<void> {
    do {
      this.#lookAgain = false;
      this.#interrupt = new AbortController();
      const { signal } = this.#interrupt;
      await this.#supervision.advance({ signal, watched: () => this.#watchers.count > 0 });
    } while (this.#lookAgain);
  }
}
