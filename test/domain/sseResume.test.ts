import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type EndOfTask,
  type Position,
  Watchers,
} from "../../orchestrator/worker/durable/watchers.ts";
import { memorySupervisor } from "../fakes/memorySupervisor.ts";
import { type Chance, seededRandom } from "../seededRandom.ts";

const disconnects = 1_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A task whose agent goes on talking, over several attempts, while it is watched. */
function talkingTask(chance: Chance) {
  let nowMs = 1_000;
  let said = 0;
  let fence = 1;
  const memory = memorySupervisor(
    () => nowMs,
    () => watchers.wakeAll(),
  );
  const watchers = new Watchers(memory);
  const talk = () => {
    nowMs += 10;
    if (chance.between(1, 60) === 1) fence += 1;
    const events = Array.from({ length: chance.between(1, 5) }, () => {
      said += 1;
      // Several bytes a letter, so that a cut can fall into one; blank lines, as code has them.
      const text = `${said} zażółć 🙂\n\n`.repeat(chance.between(1, 8));
      return { atMs: nowMs, event: { type: "message" as const, role: "assistant" as const, text } };
    });
    memory.append(fence, "agent", said, events);
  };
  return { memory, watchers, talk };
}

type Seen = { ids: string[]; texts: string[]; isOver: boolean };

/** Takes whole frames only, as a client of server-sent events does. */
function takeFrames(text: string, seen: Seen): void {
  for (const block of text.split("\n\n").slice(0, -1)) {
    const fields = new Map(
      block.split("\n").map((line) => line.split(/: ?(.*)/s) as [string, string]),
    );
    if (fields.get("event") === "end") seen.isOver = true;
    const id = fields.get("id");
    if (id === undefined) continue;
    seen.ids.push(id);
    seen.texts.push((JSON.parse(fields.get("data") ?? "{}") as { text: string }).text);
  }
}

function positionOf(lastEventId: string | undefined): Position {
  const [fence = 0, number = 0] = (lastEventId ?? "0-0").split("-").map(Number);
  return { fence, number };
}

/** Reads so many bytes, whatever they end in, and is gone. The task talks on whenever there is nothing to read. */
async function readBytes(
  stream: ReadableStream<Uint8Array>,
  bytes: number,
  talk: () => void,
): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let left = bytes; left > 0; ) {
    const reading = reader.read();
    talk();
    const { value, done } = await reading;
    if (done) break;
    text += decoder.decode(value.subarray(0, left), { stream: true });
    left -= value.length;
  }
  await reader.cancel();
  return text;
}

describe("a watcher that is cut off a thousand times", () => {
  it.each([1, 2, 3])("misses no event and sees none twice (seed %i)", async (seed) => {
    const chance = seededRandom(seed);
    const { memory, watchers, talk } = talkingTask(chance);
    const seen: Seen = { ids: [], texts: [], isOver: false };
    let end: EndOfTask | null = null;
    const connect = () =>
      watchers.stream(
        positionOf(seen.ids.at(-1)),
        () => end,
        () => {},
      );

    for (let count = 0; count < disconnects; count += 1)
      takeFrames(await readBytes(connect(), chance.between(1, 900), talk), seen);
    end = { task: "completed", outcome: null };
    takeFrames(await readBytes(connect(), Number.POSITIVE_INFINITY, () => {}), seen);

    const all = memory.read({ fence: 0, number: 0 }, Number.POSITIVE_INFINITY);
    expect(seen.isOver).toBe(true);
    expect(seen.ids).toEqual(all.map(({ fence, number }) => `${fence}-${number}`));
    expect(seen.texts).toEqual(all.map(({ event }) => event.type === "message" && event.text));
    expect(all.length).toBeGreaterThan(disconnects);
  });

  it("leaves nothing behind: no watcher, and no timer that would keep the object awake", async () => {
    const { watchers } = talkingTask(seededRandom(1));
    const reader = watchers
      .stream(
        { fence: 0, number: 0 },
        () => null,
        () => {},
      )
      .getReader();
    const reading = reader.read();
    await Promise.resolve();
    expect([watchers.count, vi.getTimerCount()]).toEqual([1, 1]);

    await reader.cancel();

    expect((await reading).done).toBe(true);
    expect([watchers.count, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
