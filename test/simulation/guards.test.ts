import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { guardNames } from "../../orchestrator/worker/domain/guards.ts";
import { crashMatrix } from "./crashMatrix.ts";
import { isFair } from "./fairness.ts";
import type { GuardKill } from "./guardKills.ts";
import { prepareProcess } from "./playSeed.ts";
import { runJobs } from "./run.ts";

prepareProcess();

const worker = path.join(import.meta.dirname, "../../orchestrator/worker");

/** Every place of the core where a guard stands. */
function standing(): string[] {
  const files = readdirSync(worker, { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".ts") && !name.endsWith("guards.ts"))
    .flatMap((name) => readFileSync(path.join(worker, name), "utf8").match(/"[a-z_]+"/g) ?? [])
    .map((quoted) => quoted.slice(1, -1));
}

describe("a guard", () => {
  it("stands somewhere, and there are at least twenty", () => {
    const places = new Set(standing());
    // The caps share one place, which makes their names; the key of notices is an index of the schema.
    const byName = guardNames.filter(
      (name) => !name.startsWith("claim_cap_") && name !== "notice_key",
    );
    expect(byName.filter((name) => !places.has(name))).toEqual([]);
    expect(guardNames.length).toBeGreaterThanOrEqual(20);
  });

  it("is missed when it is taken away, every one of them", async () => {
    const kills: GuardKill[] = [];
    await runJobs(
      guardNames.map((guard) => ({ kind: "guard", guard, maxSeeds: 1_500 })),
      (answer) => {
        if (answer.kind === "guard") kills.push(answer.kill);
      },
    );

    expect(kills).toHaveLength(guardNames.length);
    expect(kills.filter(({ killedBy }) => killedBy === null)).toEqual([]);
  }, 600_000);
});

describe("a single crash", () => {
  it.each([
    ["happy", 100],
    ["contained", 100],
    ["raced", 250],
  ] as const)(
    "before or after any await of the %s path changes nothing but the time",
    async (path, atLeast) => {
      const { awaits, points } = await crashMatrix(path);

      expect(awaits).toBeGreaterThan(atLeast);
      expect(points).toHaveLength(2 * awaits);
      expect(points.filter(({ failure }) => failure !== null)).toEqual([]);
    },
    120_000,
  );
});

describe("a tenant with ten thousand queued tasks", () => {
  it("delays another's single task by no slot's time", async () => {
    expect(await isFair(10_000)).toMatchObject({ fair: true });
  }, 120_000);
});
