import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startOf } from "../processes/processTable.ts";

/** What the runner keeps on disk, for itself alone. */
export type StateDirectory = {
  root: string;
  /** Tells the processes of this state directory from those of another runner on the same machine. */
  runnerId: string;
  runs: string;
  patches: string;
  sessions: string;
  bundles: string;
  release(): Promise<void>;
};

/** The state directory belongs to a runner that is alive. */
export class StateInUse extends Error {
  override name = "StateInUse";
}

export async function openStateDirectory(path: string): Promise<StateDirectory> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const root = await realpath(path);
  await chmod(root, 0o700);
  const release = await takeLock(root);
  const folders = { runs: join(root, "runs"), patches: join(root, "patches") };
  const kept = { ...folders, sessions: join(root, "sessions"), bundles: join(root, "bundles") };
  for (const folder of Object.values(kept)) await mkdir(folder, { recursive: true, mode: 0o700 });
  return { root, runnerId: await runnerIdOf(root), ...kept, release };
}

async function runnerIdOf(root: string): Promise<string> {
  const path = join(root, "runner-id");
  const known = await readFile(path, "utf8").catch(() => "");
  if (/^[0-9a-f]{32}$/.test(known)) return known;
  const fresh = randomBytes(16).toString("hex");
  await writeFile(path, fresh, { mode: 0o600 });
  return fresh;
}

/** Two runners on one directory would end each other's agents. A lock whose process is gone is taken over. */
async function takeLock(root: string): Promise<() => Promise<void>> {
  const path = join(root, "lock");
  const mine = await holderName(process.pid);
  const holder = await readFile(path, "utf8").catch(() => "");
  const pid = Number.parseInt(holder, 10);
  if (holder !== "" && holder === (await holderName(pid)))
    throw new StateInUse(`Another runner (process ${pid}) uses ${root}; give this one its own.`);
  await writeFile(path, mine, { mode: 0o600 });
  return () => rm(path, { force: true });
}

/** Small machines give the same pid at the same tick after every boot, so the boot is part of the name. */
async function holderName(pid: number): Promise<string> {
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return `${pid} ${startOf(pid)} ${boot.trim()}`;
}
