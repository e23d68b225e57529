import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { removeTree } from "../state/removeTree.ts";
import { writeWhole } from "../state/writeWhole.ts";

/** What is known of a run from its first moment on. */
const runRecordSchema = z.object({
  id: z.string(),
  fence: z.int(),
  startedAtMs: z.int(),
  /** What a report needs of the request, should the runner not live to write it. */
  about: z.record(z.string(), z.string()),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

export type StoredRun = { record: RunRecord; isFinished: boolean };

export type RunFiles = {
  folder(id: string): string;
  create(record: RunRecord): Promise<void>;
  saveReport(id: string, report: unknown): Promise<void>;
  readReport(id: string): Promise<unknown>;
  /** Every run on the disk, oldest first. */
  load(): Promise<StoredRun[]>;
  remove(id: string): Promise<void>;
};

/** The folder of each run below `root`: run.json, events.ndjson, report.json and whatever its work needs. */
export function createRunFiles(root: string): RunFiles {
  const folder = (id: string) => join(root, id);
  return {
    folder,
    create: async (record) => {
      await mkdir(folder(record.id), { recursive: true, mode: 0o700 });
      await writeWhole(join(folder(record.id), "run.json"), JSON.stringify(record));
    },
    saveReport: (id, report) => writeWhole(reportPath(folder(id)), JSON.stringify(report)),
    readReport: async (id) => JSON.parse(await readFile(reportPath(folder(id)), "utf8")),
    load: async () => {
      const stored = await Promise.all((await readdir(root)).map((id) => loadRun(folder(id))));
      return stored
        .filter((run) => run !== null)
        .sort((one, other) => one.record.startedAtMs - other.record.startedAtMs);
    },
    remove: (id) => removeTree(folder(id)),
  };
}

const reportPath = (folder: string): string => join(folder, "report.json");

/** A folder without a readable record was never shown to anybody. */
async function loadRun(folder: string): Promise<StoredRun | null> {
  const text = await readFile(join(folder, "run.json"), "utf8").catch(() => null);
  const record = runRecordSchema.safeParse(text === null ? null : JSON.parse(text));
  if (!record.success) return null;
  const isFinished = (await stat(reportPath(folder)).catch(() => null)) !== null;
  return { record: record.data, isFinished };
}
