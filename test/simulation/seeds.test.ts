import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { figuresOf, type SeedFigures } from "./figures.ts";
import foundSeeds from "./foundSeeds.json" with { type: "json" };
import { openSql } from "./openSql.ts";
import { playSeed, prepareProcess } from "./playSeed.ts";
import { runJobs, seedJobs } from "./run.ts";

prepareProcess();

/** Plays seeds on every core. */
async function play(from: number, count: number, store: "memory" | "sql"): Promise<SeedFigures[]> {
  const played: SeedFigures[] = [];
  await runJobs(seedJobs(from, count, store), (answer) => {
    if (answer.kind === "seed") played.push(answer.figures);
  });
  return played;
}

describe("a thousand seeds", () => {
  it("lose no task, do nothing twice and tell no false end", async () => {
    const figures = figuresOf(await play(1, 1_000, "memory"));

    expect(figures.failures).toEqual([]);
    expect(figures.seeds).toBe(1_000);
    expect(figures.tasksMedian).toBeGreaterThanOrEqual(5);
    expect(figures.awaitsMedian).toBeGreaterThanOrEqual(300);
    const quiet = Object.entries(figures.injected).filter(([, times]) => times === 0);
    expect(quiet, "faults that never struck").toEqual([]);
  }, 300_000);
});

describe("the real SQL under it", () => {
  it("holds over a hundred seeds as the stores in memory do", async () => {
    const figures = figuresOf(await play(1, 100, "sql"));

    expect(figures.failures).toEqual([]);
    expect(figures.seeds).toBe(100);
  }, 300_000);

  it("tells the same story as the stores in memory, to the letter", async () => {
    for (const seed of [3, 5, 8, 11, 23, 42, 77]) {
      const inMemory = await playSeed(seed);
      const onSql = await playSeed(seed, { openStores: openSql });
      expect(onSql.hash, `seed ${seed}`).toBe(inMemory.hash);
    }
  }, 60_000);
});

describe("a seed", () => {
  it.each([1, 7, 42])("tells the same story each time: %i", async (seed) => {
    const first = await playSeed(seed, { keepTrace: true });
    const second = await playSeed(seed, { keepTrace: true });

    expect(second.hash).toBe(first.hash);
    expect(second.story).toEqual(first.story);
    expect(first.story.some((line) => line.includes("queued → assigned"))).toBe(true);
  });

  it("tells another story than its neighbour", async () => {
    const [one, other] = [await playSeed(1), await playSeed(2)];
    expect(other.hash).not.toBe(one.hash);
  });

  it("is the same in another thread", async () => {
    const here = await playSeed(5);
    const [there] = await play(5, 1, "memory");
    expect(there?.hash).toBe(here.hash);
    expect(availableParallelism()).toBeGreaterThan(0);
  });

  it.each(foundSeeds)("that found something finds nothing any more: $seed", async ({ seed }) => {
    expect((await playSeed(seed)).violations).toEqual([]);
  });
});
