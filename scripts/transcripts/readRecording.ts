import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import type { Recording } from "../../apps/agent-runner/agent-run/replayRecording.ts";
import type { Conversation } from "./replayConversation.ts";

export class RecordingError extends Error {}

const metaSchema = z.object({
  exitCode: z.int().nullish(),
  model: z.string().nullish(),
  /** The session that the run was told to begin, or to go on with. */
  session: z.string().nullish(),
  resumes: z.string().nullish(),
});
type Meta = z.infer<typeof metaSchema>;

/**
 * Reads what a CLI once said: a file NAME.stdout beside NAME.stderr and NAME.meta.txt (or .meta.json), or a folder
 * with the files stdout, stderr, meta.json and home. The output may be packed with gzip; only it has to be there.
 */
export function readRecording(file: string): Recording {
  const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const output = isFolder ? outputIn(file) : file;
  const beside = siblingsOf(output);
  const meta = metaOf(beside);
  return {
    stdout: bytesOf(output),
    stderr: existsSync(beside.stderr) ? readFileSync(beside.stderr, "utf8") : "",
    exit: { exitCode: meta.exitCode ?? 0, signal: null },
    request: {
      home: beside.home,
      ...(meta.model == null ? {} : { model: meta.model }),
      session:
        meta.resumes == null
          ? { kind: "new", id: meta.session ?? "new" }
          : { kind: "resume", id: meta.resumes },
    },
    recordedAtMs: Date.UTC(2026, 10, 21),
  };
}

/** Reads what went between a client and an agent: a file, or the one in a folder of that name. */
export function readConversation(file: string): Conversation {
  const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const name = path.basename(file);
  if (!isFolder) return { name, bytes: bytesOf(file) };
  const inside = readdirSync(file).find((one) => /^(traffic\.jsonl|events\.sse)(\.gz)?$/.test(one));
  if (inside === undefined) throw new RecordingError(`${file}: there is no recording in it`);
  return { name, bytes: bytesOf(path.join(file, inside)) };
}

const outputIn = (folder: string): string => {
  const packed = path.join(folder, "stdout.gz");
  return existsSync(packed) ? packed : path.join(folder, "stdout");
};

type Siblings = { stderr: string; metaJson: string; metaText: string; home: string };

function siblingsOf(output: string): Siblings {
  const stem = output.replace(/\.gz$/, "").replace(/(stdout|\.[^./]*)$/, "");
  const dot = stem.endsWith("/") || stem === "" ? "" : ".";
  return {
    stderr: `${stem}${dot}stderr`,
    metaJson: `${stem}${dot}meta.json`,
    metaText: `${stem}${dot}meta.txt`,
    home: `${stem}${dot}home`,
  };
}

function bytesOf(file: string): Buffer {
  try {
    const bytes = readFileSync(file);
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const why = code === "ENOENT" ? "there is no such file" : `it cannot be read (${code})`;
    throw new RecordingError(`${file}: ${why}`, { cause: error });
  }
}

function metaOf({ metaJson, metaText }: Siblings): Meta {
  if (existsSync(metaJson)) return parseMeta(metaJson);
  return existsSync(metaText) ? metaOfText(readFileSync(metaText, "utf8")) : {};
}

function parseMeta(file: string): Meta {
  try {
    return metaSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new RecordingError(`${file}: it does not tell how a run ended`, { cause: error });
  }
}

/** Lines `name: value`; the model and the session stand in the command line. */
function metaOfText(text: string): Meta {
  const find = (pattern: RegExp) => pattern.exec(text)?.[1];
  const exit = find(/^exit: (\d+)$/m);
  return {
    exitCode: exit === undefined ? null : Number(exit),
    model: find(/^argv: .* (?:--model|-m) (\S+)/m) ?? find(/^env: .*\bCOPILOT_MODEL=(\S+)/m),
    session: find(/^argv: .* --session-id[ =](\S+)/m),
    resumes: find(/^argv: .* (?:resume |--resume[ =])([0-9a-f-]{36})\b/m),
  };
}
