import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Recording } from "../../../apps/agent-runner/agent-run/replayRecording.ts";
import { readRecording } from "../../../scripts/transcripts/readRecording.ts";
import { projectFolder } from "./runners.ts";

export const transcriptsFolder = join(projectFolder, "test/fixtures/transcripts");

export type Transcript = Recording & { name: string; folder: string };

export function transcriptsOf(agent: string): Transcript[] {
  const folder = join(transcriptsFolder, agent);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => ({
    ...readRecording(join(folder, name)),
    name,
    folder: join(folder, name),
  }));
}

/** Events as a reviewer can read them: long texts are cut. */
export function outline(value: unknown): unknown {
  if (typeof value === "string")
    return value.length > 160 ? `${value.slice(0, 120)}… (${value.length} characters)` : value;
  if (Array.isArray(value))
    return value.length > 8 ? `${value.length} entries` : value.map(outline);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, outline(item)]));
}
