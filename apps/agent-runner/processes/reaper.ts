import { setTimeout as sleep } from "node:timers/promises";
import { type ProcessRef, startOf, survey } from "./processTable.ts";
import type { RunUser } from "./runUser.ts";

export type ReapOutcome = { kind: "clean" } | { kind: "survivors"; pids: number[] };

/** In the moment of its start a process shows no environment. After this time it simply has none. */
const unclearMs = 250;

/**
 * Ends every process that carries all markers, again and again until none is left: a tool's shell leaves its
 * process group, and a process that is being ended may still start another. Two looks in a row have to find
 * nothing, since a process may come into being while the first one is taken.
 */
export async function endMarked(
  markers: readonly string[],
  {
    spare = [],
    withinMs = 10_000,
    user = null,
  }: { spare?: readonly number[]; withinMs?: number; user?: RunUser | null } = {},
): Promise<ReapOutcome> {
  const deadline = performance.now() + withinMs;
  const isYoung = createYouth();
  let cleanLooks = 0;
  for (let pauseMs = 2; cleanLooks < 2; pauseMs = Math.min(pauseMs * 2, 200)) {
    const { marked, unclear } = survey(markers, user);
    const left = marked.filter(({ pid }) => !spare.includes(pid));
    if (left.length > 0 && performance.now() > deadline)
      return { kind: "survivors", pids: left.map(({ pid }) => pid) };
    endAll(left);
    const isClean = left.length === 0 && unclear.filter(isYoung).length === 0;
    cleanLooks = isClean ? cleanLooks + 1 : 0;
    await sleep(pauseMs);
  }
  return { kind: "clean" };
}

function endAll(processes: readonly ProcessRef[]): void {
  for (const { pid, startedAt } of processes) if (startOf(pid) === startedAt) kill(pid);
}

/** Whether a process has been seen without an environment for a short time only. */
function createYouth() {
  const firstSeen = new Map<string, number>();
  return ({ pid, startedAt }: ProcessRef): boolean => {
    const name = `${pid} ${startedAt}`;
    const since = firstSeen.get(name) ?? performance.now();
    firstSeen.set(name, since);
    return performance.now() - since < unclearMs;
  };
}

/** Ends a whole process group at once. A group that is gone is no error. */
export function killGroup(leader: number, signal: NodeJS.Signals = "SIGKILL"): void {
  kill(-leader, signal);
}

function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, or not ours: the next look at the process table tells.
  }
}
