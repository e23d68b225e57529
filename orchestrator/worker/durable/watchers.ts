import type { StreamEvent, SupervisorMemory } from "../domain/ports/supervisorMemory.ts";
import type { Outcome } from "../domain/task.ts";

export type Position = { fence: number; number: number };

/** How a task has ended: the last thing that a watcher is told. */
export type EndOfTask = { task: string; outcome: Outcome | null };

const pageSize = 500;
/** A proxy on the way closes a connection that says nothing for long. */
const keepAliveMs = 15_000;

/**
 * The open event streams of one task. A watcher reads from the memory at its own pace: what it has not taken is
 * held nowhere else, so a slow one costs nothing and loses nothing.
 */
export class Watchers {
  readonly #memory: SupervisorMemory;
  readonly #open = new Set<{ wake: () => void }>();

  constructor(memory: SupervisorMemory) {
    this.#memory = memory;
  }

  get count(): number {
    return this.#open.size;
  }

  /** New events are there, or the task has ended. */
  wakeAll(): void {
    for (const watcher of this.#open) watcher.wake();
  }

  /** Server-sent events after a position, live, until `end` tells how the task ended. */
  stream(
    after: Position,
    end: () => EndOfTask | null,
    left: () => void,
  ): ReadableStream<Uint8Array> {
    const watcher = { wake: () => {} };
    this.#open.add(watcher);
    const leave = () => {
      if (!this.#open.delete(watcher)) return;
      // Its timer would keep the object awake, and paid for, for nobody.
      watcher.wake();
      left();
    };
    let at = after;
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const ended = end();
        const events = this.#memory.read(at, pageSize);
        const last = events.at(-1);
        if (last !== undefined) {
          at = { fence: last.fence, number: last.number };
          controller.enqueue(bytes(events.map(frame).join("")));
        } else if (ended !== null) {
          controller.enqueue(bytes(endFrame(ended)));
          controller.close();
          leave();
        } else {
          const comment = await this.#wait(watcher);
          if (this.#open.has(watcher)) controller.enqueue(bytes(comment));
        }
      },
      cancel: leave,
    });
  }

  /** The same stream from a transcript, when the memory has been cleared. */
  replay(
    transcript: readonly StreamEvent[],
    after: Position,
    end: EndOfTask,
  ): ReadableStream<Uint8Array> {
    const rest = transcript.filter(
      ({ fence, number }) =>
        fence > after.fence || (fence === after.fence && number > after.number),
    );
    const { body } = new Response(rest.map(frame).join("") + endFrame(end));
    return body as ReadableStream<Uint8Array>;
  }

  /** Until there is something to read; answers a comment, which a client passes over. */
  #wait(watcher: { wake: () => void }): Promise<string> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(": still here\n\n"), keepAliveMs);
      watcher.wake = () => {
        clearTimeout(timer);
        resolve(":\n\n");
      };
    });
  }
}

const encoder = new TextEncoder();
const bytes = (text: string): Uint8Array => encoder.encode(text);

/** Its id is what a client sends back to go on from there. */
const frame = ({ fence, number, atMs, event }: StreamEvent): string =>
  `id: ${fence}-${number}\nevent: ${event.type}\ndata: ${JSON.stringify({ atMs, ...event })}\n\n`;

const endFrame = (end: EndOfTask): string => `event: end\ndata: ${JSON.stringify(end)}\n\n`;
