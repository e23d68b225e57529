import { applyPatchInput } from "../../shared/patch/apply.ts";
import { diffLines } from "../../shared/patch/lineDiff.ts";
import type { Timing } from "./speed.ts";

/** Comparing 5,000 lines with 5,000 others, where nothing is alike and where everything is. */
export function measureDiff(rounds: number): Timing[] {
  const lines = (make: (at: number) => string) =>
    Buffer.from(Array.from({ length: 5_000 }, (_, at) => `${make(at)}\n`).join(""));
  const old = lines((at) => `old ${at}`);
  const cases: [string, Uint8Array, Uint8Array][] = [
    ["5,000 wholly different lines", old, lines((at) => `new ${at}`)],
    ["5,000 lines in another order", old, lines((at) => `old ${(at * 2_741) % 5_000}`)],
    [
      "5,000 lines of seven kinds",
      lines((at) => `${(at * at) % 7}`),
      lines((at) => `${(at * 31 + 5) % 7}`),
    ],
  ];
  return cases.map(([name, before, after]) => ({
    name,
    milliseconds: Array.from({ length: rounds }, () => {
      const startedAtMs = performance.now();
      diffLines(before, after);
      return performance.now() - startedAtMs;
    }),
  }));
}

/** Refusing 20 MB where 10 MB are the limit: in one block, and in 20,000. */
export async function measureRefusal(rounds: number): Promise<Timing[]> {
  const line = `${"x".repeat(79)}\n`;
  const patch = (block: string) => ({
    task_id: "t",
    file: "f",
    operation: "append",
    block,
    metadata: { provider: "p" },
  });
  const timings: Timing[] = [];
  for (const [name, blocks] of [
    ["20 MB in one block refused", [line.repeat(262_144)]],
    ["20 MB in 20,000 blocks refused", Array.from({ length: 20_000 }, () => line.repeat(13))],
  ] as const) {
    const set = { schema: "aipatch/1", mode: "lines", patches: blocks.map(patch), files: {} };
    const milliseconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const startedAtMs = performance.now();
      const outcome = await applyPatchInput(set, () => undefined, {
        limits: { patchBytes: 10_000_000 },
      });
      milliseconds.push(performance.now() - startedAtMs);
      if (outcome.kind !== "refused") throw new Error("20 MB pass");
    }
    timings.push({ name, milliseconds });
  }
  return timings;
}
