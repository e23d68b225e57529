import type { HostileRun } from "../../test/patch/hostileRuns.ts";
import { type Goal, medianOf } from "./goals.ts";
import type { Tally } from "./histories.ts";
import type { Timing } from "./speed.ts";

export function timingLines(timings: readonly Timing[]): string[] {
  return timings.map(({ name, milliseconds }) => {
    const [median, least] = [medianOf(milliseconds), Math.min(...milliseconds)].map(shown);
    return `  ${name.padEnd(42)} ${median} median ${least} least`;
  });
}

const shown = (ms: number): string => `${ms.toFixed(1)} ms`.padStart(11);

export function goalLine({ text, isHeld }: Goal): string {
  return `  ${isHeld ? "held  " : "missed"}  ${text}`;
}

export function tallyLine(name: string, { counts }: Tally): string {
  const parts = Object.entries(counts).map(([what, number]) => `${number} ${what}`);
  return `\n${name}: ${parts.join(", ") || "none"}`;
}

/** How many were refused for what, the most frequent first. */
export function hostileTable(runs: readonly HostileRun[]): string[] {
  const counts = new Map<string, number>();
  for (const { code, refusedBy } of runs) {
    const key = `${code.padEnd(20)} by the ${refusedBy}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  return byCount.map(([what, number]) => `${String(number).padStart(8)}  ${what}`);
}
