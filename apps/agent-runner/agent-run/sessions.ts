import type { Stats } from "node:fs";
import {
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type SessionHead, sessionIdPattern } from "../../../shared/contracts/sessionArchive.ts";
import type { AgentAdapter } from "../agents/agentAdapter.ts";
import type { Redactor } from "../redact.ts";
import { removeTree } from "../state/removeTree.ts";
import { isDatabase, redactDatabase } from "./redactDatabase.ts";

/**
 * Sessions of agents, kept from one run to a later one that resumes them: the files that the CLI wrote below its
 * HOME, redacted, and the run in whose workspace it began. A conversation speaks of files by their full paths, and
 * a CLI looks for its session under the path it runs in, so a resumed run gets both places at the same paths.
 */
export type Sessions = {
  keep(session: KeptSession): Promise<void>;
  /** Null when this runner keeps no such session. */
  find(agent: string, id: string): Promise<SessionRecord | null>;
  /** Puts the files of a kept session back below a new HOME. */
  restore(agent: string, id: string, home: string): Promise<void>;
  /** Where the files of a kept session lie, below a HOME of its own. */
  homeOf(agent: string, id: string): string;
  /** Keeps a session that came from elsewhere: the folder with its files becomes the session's own. */
  adopt(head: SessionHead, home: string): Promise<void>;
};

export type KeptSession = {
  agent: AgentAdapter;
  id: string;
  home: string;
  /** Whose files are taken; null = anybody's. What is not the agent's, it may have no right to read. */
  owner: number | null;
  executionId: string;
  redactor: Redactor;
};

const recordSchema = z.object({ executionId: z.string().regex(sessionIdPattern) });
export type SessionRecord = z.infer<typeof recordSchema>;

const maxFileBytes = 32 * 1024 * 1024;
const keptSessions = 50;

export function createSessions(root: string): Sessions {
  const folderOf = (agent: string, id: string) => join(root, agent, id);
  const finish = async (agent: string, id: string, record: SessionRecord) => {
    const path = join(folderOf(agent, id), "session.json");
    await writeFile(path, JSON.stringify(record), { mode: 0o600 });
    await prune(join(root, agent));
  };
  return {
    keep: async ({ agent, id, home, executionId, ...taking }) => {
      if (!sessionIdPattern.test(id)) return;
      const folder = folderOf(agent.name, id);
      await removeTree(folder);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const path of agent.sessionPaths)
        if (await hasRealParents(home, path))
          await copyRegular(join(home, path), join(folder, "home", path), taking);
      await finish(agent.name, id, { executionId });
    },
    find: async (agent, id) => {
      if (!sessionIdPattern.test(id)) return null;
      const path = join(folderOf(agent, id), "session.json");
      const record = await readFile(path, "utf8").catch(() => null);
      return record === null ? null : recordSchema.parse(JSON.parse(record));
    },
    restore: async (agent, id, home) => {
      const folder = folderOf(agent, id);
      await copyRegular(join(folder, "home"), home, { redactor: null, owner: null });
      await utimes(folder, new Date(), new Date());
    },
    homeOf: (agent, id) => join(folderOf(agent, id), "home"),
    adopt: async ({ agent, id, executionId }, home) => {
      const folder = folderOf(agent, id);
      await removeTree(folder);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await rename(home, join(folder, "home"));
      await finish(agent, id, { executionId });
    },
  };
}

type Taking = { redactor: Redactor | null; owner: number | null };

/** Copies files and folders, and nothing else: a link in an agent's HOME may point anywhere. */
async function copyRegular(from: string, to: string, taking: Taking): Promise<void> {
  const { redactor, owner } = taking;
  const stats = await lstat(from).catch(() => null);
  if (stats?.isDirectory())
    // The name of a file leaves with it.
    for (const name of await readdir(from))
      if (redactor === null || redactor.text(name) === name)
        await copyRegular(join(from, name), join(to, name), taking);
  if (!isTaken(stats, owner)) return;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  if (redactor !== null && (await isDatabase(from))) return copyDatabase(from, to, owner, redactor);
  const bytes = await readFile(from);
  await writeFile(to, redactor === null ? bytes : redactor.bytes(bytes), { mode: 0o600 });
}

const isTaken = (stats: Stats | null, owner: number | null): boolean =>
  stats?.isFile() === true && stats.size <= maxFileBytes && (owner === null || stats.uid === owner);

/** With what its program had not written into it yet. One that cannot be redacted is not kept. */
async function copyDatabase(
  from: string,
  to: string,
  owner: number | null,
  redactor: Redactor,
): Promise<void> {
  for (const suffix of ["", "-wal"])
    if (isTaken(await lstat(from + suffix).catch(() => null), owner))
      await writeFile(to + suffix, await readFile(from + suffix), { mode: 0o600 });
  try {
    await redactDatabase(to, redactor);
  } catch {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) await rm(to + suffix, { force: true });
  }
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
