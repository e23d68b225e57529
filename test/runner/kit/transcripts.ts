import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Recording } from "../../../apps/agent-runner/agent-run/replayRecording.ts";
import { projectFolder } from "./runners.ts";

export const transcriptsFolder = join(projectFolder, "test/fixtures/transcripts");

export type Transcript = Recording & { name: string; folder: string };

/** `session` is the one that the run was told to begin, `resumes` the one that it was told to go on with. */
type Meta = { exitCode: number; model?: string; session?: string; resumes?: string };

export function transcriptsOf(agent: string): Transcript[] {
  const folder = join(transcriptsFolder, agent);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => readTranscript(name, join(folder, name)));
}

function readTranscript(name: string, folder: string): Transcript {
  const packed = join(folder, "stdout.gz");
  const meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")) as Meta;
  const stderr = join(folder, "stderr");
  return {
    name,
    folder,
    stdout: existsSync(packed)
      ? gunzipSync(readFileSync(packed))
      : readFileSync(join(folder, "stdout")),
    stderr: existsSync(stderr) ? readFileSync(stderr, "utf8") : "",
    exit: { exitCode: meta.exitCode, signal: null },
    request: requestOf(meta, join(folder, "home")),
    recordedAtMs: Date.UTC(2026, 10, 21),
  };
}

const requestOf = (
  { model, session = "new", resumes }: Meta,
  home: string,
): Recording["request"] => ({
  home,
  ...(model === undefined ? {} : { model }),
  session: resumes === undefined ? { kind: "new", id: session } : { kind: "resume", id: resumes },
});

/** Events as a reviewer can read them: long texts are cut. */
export function outline(value: unknown): unknown {
  if (typeof value === "string")
    return value.length > 160 ? `${value.slice(0, 120)}… (${value.length} characters)` : value;
  if (Array.isArray(value))
    return value.length > 8 ? `${value.length} entries` : value.map(outline);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, outline(item)]));
}
