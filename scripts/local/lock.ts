import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { startOf } from "../../apps/agent-runner/processes/processTable.ts";

/** Two deployments on one state folder would fight over its database: the second one is refused. */
export async function takeLock(state: string): Promise<() => Promise<void>> {
  const file = path.join(state, "running.json");
  await mkdir(state, { recursive: true, mode: 0o700 });
  const other = await readFile(file, "utf8").catch(() => null);
  if (other !== null) {
    const { pid, startedAt } = JSON.parse(other) as { pid: number; startedAt: string | null };
    if (startedAt !== null && startOf(pid) === startedAt)
      throw new Error(
        `Switchyard runs on this state folder already (process ${pid}). End that one, or give this one another folder with --state.`,
      );
  }
  await writeFile(file, JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid) }));
  return () => rm(file, { force: true });
}
