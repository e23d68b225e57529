import { describe, expect, it } from "vitest";
import type {
  Attempt,
  StreamEvent,
  SupervisorMemory,
} from "../../orchestrator/worker/domain/ports/supervisorMemory.ts";
import type { AgentEvent } from "../../shared/contracts/agentEvent.ts";
import { anAttempt } from "../builders.ts";

export type MemoryWorld = {
  memory: SupervisorMemory;
  /** When the alarm rings, null = never. */
  wakeAtMs(): Promise<number | null>;
  setNow(atMs: number): void;
  /** How often the memory has said that something is new. */
  timesChanged(): number;
};
/** Runs work with an empty memory, where that memory can be reached. */
export type WithMemory = (work: (world: MemoryWorld) => Promise<void>) => Promise<void>;

const start = { fence: 0, number: 0 };
/** Later than any test runs, so that no real alarm rings in the middle of one. */
const nowMs = 4_000_000_000_000;

const said = (text: string): { atMs: number; event: AgentEvent } => ({
  atMs: 1_000,
  event: { type: "message", role: "assistant", text },
});
const saying = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => said(`${from + index}`));
const numbers = (events: StreamEvent[]) => events.map(({ fence, number }) => `${fence}-${number}`);

/** What every memory of a supervisor must do, in SQLite or not. */
export function supervisorMemorySuite(withMemory: WithMemory): void {
  const inMemory = (work: (world: MemoryWorld) => Promise<void> | void) => () =>
    withMemory(async (world) => {
      world.setNow(nowMs);
      await work(world);
    });

  describe("attempts", () => attemptCases(inMemory));
  describe("events", () => eventCases(inMemory));
  describe("a page of events", () => pageCases(inMemory));
  describe("the wake-up", () => wakeCases(inMemory));
  describe("a memory that has forgotten all", () => forgottenCases(inMemory));
}

type InMemory = (work: (world: MemoryWorld) => Promise<void> | void) => () => Promise<void>;

function attemptCases(inMemory: InMemory): void {
  it(
    "come back by fence, lowest first, whole",
    inMemory(({ memory }) => {
      const [first, second] = [anAttempt({ fence: 1, phase: "done" }), anAttempt({ fence: 2 })];
      memory.save(second);
      memory.save(first);

      expect(memory.attempts()).toEqual([first, second]);
    }),
  );

  it(
    "are replaced by what is saved later",
    inMemory(({ memory }) => {
      memory.save(anAttempt({ phase: "gate" }));
      memory.save(anAttempt({ phase: "following", startedAtMs: 5 }));

      expect(memory.attempts()).toMatchObject([{ phase: "following", startedAtMs: 5 }]);
    }),
  );

  it(
    "are copies: what is done to one later is not remembered",
    inMemory(({ memory }) => {
      const saved: Attempt = anAttempt({ phase: "gate" });
      memory.save(saved);
      saved.phase = "done";
      for (const attempt of memory.attempts()) attempt.phase = "done";

      expect(memory.attempts()).toMatchObject([{ phase: "gate" }]);
    }),
  );
}

function eventCases(inMemory: InMemory): void {
  it(
    "are numbered from 1 without a gap, whatever their source",
    inMemory(({ memory }) => {
      memory.append(1, "agent", 2, saying(1, 2));
      memory.append(1, "supervisor", 0, [said("state")]);
      memory.append(1, "patch-1", 1, [said("patch")]);
      memory.append(1, "agent", 3, saying(3, 3));

      const events = memory.read(start, 100);

      expect(numbers(events)).toEqual(["1-1", "1-2", "1-3", "1-4", "1-5"]);
      expect(events[2]).toEqual({ fence: 1, number: 3, ...said("state") });
      expect(memory.lastNumber(1)).toBe(5);
    }),
  );

  it(
    "are numbered anew in every attempt",
    inMemory(({ memory }) => {
      memory.append(2, "agent", 1, saying(1, 1));
      memory.append(1, "agent", 2, saying(1, 2));

      expect(numbers(memory.read(start, 100))).toEqual(["1-1", "1-2", "2-1"]);
      expect([memory.lastNumber(1), memory.lastNumber(2), memory.lastNumber(3)]).toEqual([2, 1, 0]);
    }),
  );

  it(
    "move the cursor of their source alone, with the time at which they were kept",
    inMemory(({ memory, setNow }) => {
      memory.append(1, "agent", 2, saying(1, 2));
      setNow(nowMs + 500);
      memory.append(1, "patch-1", 1, saying(1, 1));

      expect([memory.cursor(1, "agent"), memory.cursor(1, "patch-1")]).toEqual([2, 1]);
      expect([memory.cursor(1, "patch-2"), memory.cursor(2, "agent")]).toEqual([0, 0]);
      expect(memory.lastEventAtMs(1, "agent")).toBe(nowMs);
      expect(memory.lastEventAtMs(1, "patch-1")).toBe(nowMs + 500);
      expect(memory.lastEventAtMs(1, "supervisor")).toBeNull();
    }),
  );

  it(
    "that are none change nothing",
    inMemory(({ memory }) => {
      memory.append(1, "agent", 7, []);

      expect([memory.cursor(1, "agent"), memory.lastNumber(1)]).toEqual([0, 0]);
      expect(memory.read(start, 100)).toEqual([]);
    }),
  );

  it(
    "are copies: what is done to one later is not remembered",
    inMemory(({ memory }) => {
      const entry = { atMs: 1, event: { type: "thinking" as const, text: "kept" } };
      memory.append(1, "agent", 1, [entry]);
      entry.event.text = "changed";

      expect(memory.read(start, 1)).toMatchObject([{ event: { text: "kept" } }]);
    }),
  );

  it(
    "are told of once they are there",
    inMemory(({ memory, timesChanged }) => {
      expect(timesChanged()).toBe(0);
      memory.append(1, "agent", 3, saying(1, 3));
      expect(timesChanged()).toBe(1);
    }),
  );
}

function pageCases(inMemory: InMemory): void {
  it(
    "holds what comes after a position, of this attempt and of later ones",
    inMemory(({ memory }) => {
      memory.append(1, "agent", 3, saying(1, 3));
      memory.append(2, "agent", 2, saying(1, 2));

      const after = (fence: number, number: number) =>
        numbers(memory.read({ fence, number }, 100)).join(" ");
      expect(after(1, 2)).toBe("1-3 2-1 2-2");
      expect(after(1, 3)).toBe("2-1 2-2");
      expect(after(1, 99)).toBe("2-1 2-2");
      expect(after(2, 2)).toBe("");
    }),
  );

  it(
    "ends at a row that reaches the limit, and the next one goes on behind it",
    inMemory(({ memory }) => {
      for (let row = 0; row < 4; row += 1) memory.append(1, "agent", 3 * row + 3, saying(1, 3));

      const first = memory.read(start, 4);
      const second = memory.read({ fence: 1, number: first.length }, 4);

      expect([first.length, second.length]).toEqual([6, 6]);
      expect(numbers([...first, ...second]).at(-1)).toBe("1-12");
    }),
  );

  it(
    "is small when its events are large: an append is cut into rows, each with its own cursor",
    inMemory(({ memory }) => {
      const large = "x".repeat(40_000);
      memory.append(1, "agent", 13, [said(large), said(large), said("small"), said(large)]);

      expect(memory.read(start, 1)).toHaveLength(1);
      expect(memory.read({ fence: 1, number: 1 }, 1)).toHaveLength(2);
      expect(memory.read({ fence: 1, number: 3 }, 1)).toHaveLength(1);
      expect([memory.cursor(1, "agent"), memory.lastNumber(1)]).toEqual([13, 4]);
    }),
  );
}

function wakeCases(inMemory: InMemory): void {
  it(
    "is at the time that was set last, and never in the past",
    inMemory(async ({ memory, wakeAtMs }) => {
      await memory.setWakeAt(nowMs + 9_000);
      await memory.setWakeAt(nowMs + 5_000);
      expect(await wakeAtMs()).toBe(nowMs + 5_000);

      await memory.setWakeAt(nowMs - 5_000);
      expect(await wakeAtMs()).toBe(nowMs);
    }),
  );
}

function forgottenCases(inMemory: InMemory): void {
  it(
    "is empty, is not woken, and can be used again",
    inMemory(async ({ memory, wakeAtMs }) => {
      memory.save(anAttempt());
      memory.append(1, "agent", 3, saying(1, 3));
      await memory.setWakeAt(nowMs + 1_000);

      const forgotten = memory.forgetAll();

      expect([memory.attempts(), memory.read(start, 10)]).toEqual([[], []]);
      expect([memory.lastNumber(1), memory.cursor(1, "agent")]).toEqual([0, 0]);
      await forgotten;
      expect(await wakeAtMs()).toBeNull();
      memory.append(1, "agent", 1, saying(1, 1));
      expect(numbers(memory.read(start, 10))).toEqual(["1-1"]);
    }),
  );
}
