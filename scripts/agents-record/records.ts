import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { projectRoot } from "../local/wrangler.ts";
import type { ShapesOfAgent } from "./shape.ts";

const recordsFolder = path.join(projectRoot, "test/fixtures/drift");
const recordFile = (agent: string) => path.join(recordsFolder, `${agent}.json`);

/** What an agent's CLI did when it was recorded; null when it never was. */
export async function readRecord(agent: string): Promise<ShapesOfAgent | null> {
  const text = await readFile(recordFile(agent), "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as ShapesOfAgent);
}

export async function writeRecord(agent: string, record: ShapesOfAgent): Promise<void> {
  await mkdir(recordsFolder, { recursive: true });
  await writeFile(recordFile(agent), `${JSON.stringify(record, null, 1)}\n`);
}
