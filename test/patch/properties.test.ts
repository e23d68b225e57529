import { describe, expect, it } from "vitest";
import { formatProperties } from "./properties/formatProperties.ts";
import { setProperties } from "./properties/setProperties.ts";

/** More runs for a longer search: AIPATCH_RUNS=5000. `npm run bench:patch -- --properties 30000` counts them. */
const runs = Number(process.env.AIPATCH_RUNS ?? 400);
const seed = Number(process.env.AIPATCH_SEED ?? 20_251_121);

/** The engines are held against each other, and against git, by tests of their own. */
const isOfOneEngine = ({ name }: { name: string }) => !/^(?:TypeScript =|operations →)/.test(name);

describe("the patch format", () => {
  it.each(formatProperties.filter(isOfOneEngine))("holds: $name", async ({ check }) => {
    expect(await check(runs, seed)).toBe(runs);
  });

  it("has a property for every promise, and shares that are all the runs", () => {
    const sum = formatProperties.reduce((total, { share }) => total + share, 0);

    expect(sum).toBe(1_000);
    expect(setProperties.length).toBeGreaterThan(10);
  });
});
