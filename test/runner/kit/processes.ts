import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { findMarked } from "../../../apps/agent-runner/processes/processTable.ts";

/** The processes of every run of the runner with this state directory. */
export const processesOf = (state: string) =>
  findMarked([`SWITCHYARD_RUNNER=${readFileSync(join(state, "runner-id"), "utf8")}`]);

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** Command lines of what works in a folder, whatever it did to its environment. */
export const processesBelow = (folder: string): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && cwdOf(name).startsWith(`${folder}/`))
    .map((name) => commandOf(Number(name)));

function cwdOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

/** Whether any process of this machine runs exactly this. */
export const isRunning = (command: string): boolean =>
  readdirSync("/proc").some((name) => commandOf(Number(name)).trimEnd() === command);

/** Waits for a shell command of an agent: it is no event, so the process table is looked at. */
export const untilRunning = (state: string, command: string): Promise<void> =>
  until(() => processesOf(state).some(({ pid }) => commandOf(pid).startsWith(command)));

export async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!isSo()) {
    if (performance.now() > deadline) expect.fail("it did not come to that");
    await sleep(20);
  }
}
