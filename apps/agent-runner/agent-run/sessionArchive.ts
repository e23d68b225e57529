import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { z } from "zod";
import {
  type SessionHead,
  type SessionPiece,
  sessionHeadSchema,
  sessionLimits,
  sessionPieceSchema,
} from "../../../shared/contracts/sessionArchive.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { createLineSplitter, type SplitLine } from "../agents/jsonLines.ts";

const pieceBytes = 192 * 1024;

/** Writes the files below a kept session's HOME, which are the runner's own, into a new file as `session/1`. */
export async function packSession(head: SessionHead, home: string, file: string): Promise<void> {
  const paths = (await filesBelow(home)).filter(
    (path) => relative(home, path).length <= sessionLimits.pathLength,
  );
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  if (paths.length > sessionLimits.files || sum(sizes) > sessionLimits.bytes) throw tooLarge();
  const output = createWriteStream(file, { flags: "wx", mode: 0o600 });
  await pipeline(Readable.from(linesOf(head, home, paths)), output);
}

/**
 * Unpacks an archive from anybody into a new folder, as a HOME with that session in it. `pathsOf` says which files
 * of HOME may be a session's. Throws `invalid_request` or `body_too_large`; what is unpacked then is of no use.
 */
export async function unpackSession(
  file: string,
  home: string,
  pathsOf: (head: SessionHead) => readonly string[],
): Promise<SessionHead> {
  let head: SessionHead | null = null;
  let allowed: readonly string[] = [];
  const put = pieceWriter(home);
  await mkdir(home, { mode: 0o700 });
  for await (const line of splitLines(file))
    if (head === null) {
      head = parseLine(sessionHeadSchema, line);
      allowed = pathsOf(head);
    } else {
      const piece = parseLine(sessionPieceSchema, line);
      if (!isSafePath(piece.path, allowed))
        throw refused(`${piece.path.slice(0, 200)} is no file of a session of ${head.agent}`);
      await put(piece);
    }
  if (head === null) throw refused("it is empty");
  return head;
}

async function* linesOf(head: SessionHead, home: string, paths: readonly string[]) {
  const lineOf = (value: SessionHead | SessionPiece) => `${JSON.stringify(value)}\n`;
  yield lineOf(head);
  for (const file of paths) {
    const path = relative(home, file);
    let pieces = 0;
    for await (const bytes of createReadStream(file, { highWaterMark: pieceBytes })) {
      yield lineOf({ path, base64: bytes.toString("base64") });
      pieces += 1;
    }
    if (pieces === 0) yield lineOf({ path, base64: "" });
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

async function* splitLines(file: string): AsyncGenerator<SplitLine> {
  const splitter = createLineSplitter(sessionLimits.lineBytes);
  for await (const chunk of createReadStream(file)) yield* splitter.push(chunk);
  yield* splitter.end();
}

function parseLine<Schema extends z.ZodType>(schema: Schema, line: SplitLine): z.infer<Schema> {
  if (line.kind === "too_long") throw refused(`it has a line of ${line.bytes} bytes`);
  const parsed = schema.safeParse(parseJson(line.text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refused(`${issue?.path.join(".") || "a line"}: ${issue?.message ?? "is not valid"}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Plain, relative, and one of the session's own or below it. */
function isSafePath(path: string, allowed: readonly string[]): boolean {
  const isPlain = path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  if (!isPlain || path.includes("\0")) return false;
  return allowed.some((root) => path === root || path.startsWith(`${root}/`));
}

/** Into a folder in which nothing but itself makes anything, so that no part of a path can be a link. */
function pieceWriter(home: string): (piece: SessionPiece) => Promise<void> {
  let last = "";
  let files = 0;
  let bytes = 0;
  return async ({ path, base64 }) => {
    const content = Buffer.from(base64, "base64");
    const goesOn = path === last;
    files += goesOn ? 0 : 1;
    bytes += content.length;
    if (files > sessionLimits.files || bytes > sessionLimits.bytes) throw tooLarge();
    await writePiece(join(home, path), content, goesOn ? "a" : "wx");
    last = path;
  };
}

async function writePiece(path: string, content: Buffer, flag: "a" | "wx"): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, content, { flag, mode: 0o600 });
  } catch (error) {
    if (!collisions.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    throw refused("a file is in it twice, or where a folder is");
  }
}

const collisions = new Set(["EEXIST", "ENOTDIR", "EISDIR", "ENAMETOOLONG"]);

const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);

const refused = (why: string): SwitchyardError =>
  new SwitchyardError("invalid_request", `The archive of the session is refused: ${why}.`);

const tooLarge = (): SwitchyardError =>
  new SwitchyardError(
    "body_too_large",
    `A session has ${sessionLimits.files} files of ${sessionLimits.bytes} bytes together at most.`,
  );
