import { lstat, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { AgentAdapter } from "../agents/agentAdapter.ts";
import type { Redactor } from "../redact.ts";
import { removeTree } from "../state/removeTree.ts";
import { isDatabase, redactDatabase } from "./redactDatabase.ts";

/**
 * Sessions of agents, kept from one run to a later one that resumes them: the files that the CLI wrote below its
 * HOME, redacted, and the run in whose workspace it began. A conversation speaks of files by their full paths, and
 * a CLI looks for its session under the path it runs in, so a resumed run gets its workspace at the same path.
 */
export type Sessions = {
  keep(session: KeptSession): Promise<void>;
  /** Puts the files back below a new HOME; null when this runner keeps no such session. */
  restore(agent: AgentAdapter, id: string, home: string): Promise<SessionRecord | null>;
};

export type KeptSession = {
  agent: AgentAdapter;
  id: string;
  home: string;
  executionId: string;
  redactor: Redactor;
};

/** An id that is safe as the name of a folder, whoever made it up. */
const safeId = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
const recordSchema = z.object({ executionId: z.string().regex(safeId) });
export type SessionRecord = z.infer<typeof recordSchema>;

const maxFileBytes = 32 * 1024 * 1024;
const keptSessions = 50;

export function createSessions(root: string): Sessions {
  const folderOf = (agent: string, id: string) => join(root, agent, id);
  return {
    keep: async ({ agent, id, home, executionId, redactor }) => {
      if (!safeId.test(id)) return;
      const folder = folderOf(agent.name, id);
      await removeTree(folder);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const path of agent.sessionPaths)
        if (await hasRealParents(home, path))
          await copyRegular(join(home, path), join(folder, "home", path), redactor);
      await writeFile(join(folder, "session.json"), JSON.stringify({ executionId }), {
        mode: 0o600,
      });
      await prune(join(root, agent.name));
    },
    restore: async (agent, id, home) => {
      if (!safeId.test(id)) return null;
      const folder = folderOf(agent.name, id);
      const record = await readFile(join(folder, "session.json"), "utf8").catch(() => null);
      if (record === null) return null;
      await copyRegular(join(folder, "home"), home, null);
      await utimes(folder, new Date(), new Date());
      return recordSchema.parse(JSON.parse(record));
    },
  };
}

/** Copies files and folders, and nothing else: a link in an agent's HOME may point anywhere. */
async function copyRegular(from: string, to: string, redactor: Redactor | null): Promise<void> {
  const stats = await lstat(from).catch(() => null);
  if (stats?.isDirectory())
    for (const name of await readdir(from))
      await copyRegular(join(from, name), join(to, name), redactor);
  if (!stats?.isFile() || stats.size > maxFileBytes) return;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  if (redactor !== null && (await isDatabase(from))) return copyDatabase(from, to, redactor);
  const bytes = await readFile(from);
  await writeFile(to, redactor === null ? bytes : redactor.bytes(bytes), { mode: 0o600 });
}

/** With what its program had not written into it yet. One that cannot be redacted is not kept. */
async function copyDatabase(from: string, to: string, redactor: Redactor): Promise<void> {
  for (const suffix of ["", "-wal"]) {
    const bytes = await readRegular(from + suffix);
    if (bytes !== null) await writeFile(to + suffix, bytes, { mode: 0o600 });
  }
  try {
    await redactDatabase(to, redactor);
  } catch {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) await rm(to + suffix, { force: true });
  }
}

async function readRegular(path: string): Promise<Buffer | null> {
  const stats = await lstat(path).catch(() => null);
  return stats?.isFile() && stats.size <= maxFileBytes ? readFile(path) : null;
}

/** Whether no folder on the way down is a link: what lies behind one may be anything the runner can read. */
async function hasRealParents(home: string, path: string): Promise<boolean> {
  for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) {
    const stats = await lstat(join(home, folder)).catch(() => null);
    if (!stats?.isDirectory()) return false;
  }
  return true;
}

async function prune(folder: string): Promise<void> {
  const names = await readdir(folder);
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  const oldest = dated.sort((one, other) => other.at - one.at).slice(keptSessions);
  for (const { name } of oldest) await removeTree(join(folder, name));
}
