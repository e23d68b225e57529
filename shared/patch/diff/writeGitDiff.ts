import { concatBytes, encodeText, equalBytes, noBytes } from "../bytes.ts";
import { gitBlobId } from "../hashes.ts";
import { diffLines, type LineChange } from "../lineDiff.ts";
import { lineTable, startOf } from "../lineTable.ts";
import type { TreeFile } from "../treeFile.ts";
import { encodeLiteral } from "./binaryPatch.ts";
import type { FileChange } from "./fileChanges.ts";
import { quotePath } from "./quotedPath.ts";
import { writeHunks } from "./writeHunks.ts";

/**
 * A diff as `git diff --binary --full-index` writes it, with renames and copies as they are told, and three lines of
 * context. It says what changed between the files, not how the set said it.
 */
export async function writeGitDiff(changes: readonly FileChange[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const change of changes) parts.push(...(await writeFile(change)));
  return concatBytes(parts);
}

async function writeFile(change: FileChange): Promise<Uint8Array[]> {
  const { path, from, before, after } = change;
  const oldPath = from?.path ?? path;
  const header = [`diff --git ${prefixed("a", oldPath)} ${prefixed("b", path)}`];
  header.push(...modeLines(change), ...moveLines(change));
  const [old, new_] = [before?.bytes ?? noBytes, after?.bytes ?? noBytes];
  if (before !== null && after !== null && equalBytes(old, new_)) return [text(header)];
  header.push(await indexLine(before, after));
  if (old.length === 0 && new_.length === 0) return [text(header)];
  if (isBinaryToGit(old) || isBinaryToGit(new_))
    return [
      text([...header, "GIT binary patch"]),
      await encodeLiteral(new_),
      await encodeLiteral(old),
    ];
  header.push(`--- ${before === null ? "/dev/null" : withTab(prefixed("a", oldPath))}`);
  header.push(`+++ ${after === null ? "/dev/null" : withTab(prefixed("b", path))}`);
  return [text(header), writeHunks(old, new_)];
}

const text = (lines: readonly string[]): Uint8Array => encodeText(`${lines.join("\n")}\n`);

const prefixed = (side: string, path: string): string => quotePath(`${side}/${path}`);

/** So that a name with a space does not end at it. */
const withTab = (name: string): string => (name.includes(" ") ? `${name}\t` : name);

function modeLines({ before, after }: FileChange): string[] {
  if (before === null) return [`new file mode ${after?.mode}`];
  if (after === null) return [`deleted file mode ${before.mode}`];
  if (before.mode === after.mode) return [];
  return [`old mode ${before.mode}`, `new mode ${after.mode}`];
}

function moveLines({ path, from, before, after }: FileChange): string[] {
  if (from === undefined) return [];
  const share = similarity(before?.bytes ?? noBytes, after?.bytes ?? noBytes);
  return [
    `similarity index ${share}%`,
    `${from.kind} from ${quotePath(from.path)}`,
    `${from.kind} to ${quotePath(path)}`,
  ];
}

/** How much of the larger file is in both, in percent; 100 only when they are equal. */
function similarity(old: Uint8Array, new_: Uint8Array): number {
  if (equalBytes(old, new_)) return 100;
  const table = lineTable(old);
  const removed = diffLines(old, new_).reduce(
    (sum, { oldFrom, oldTo }: LineChange) => sum + startOf(table, oldTo) - startOf(table, oldFrom),
    0,
  );
  const share = (old.length - removed) / Math.max(old.length, new_.length);
  return Math.min(99, Math.floor(share * 100));
}

async function indexLine(before: TreeFile | null, after: TreeFile | null): Promise<string> {
  const idOf = (file: TreeFile | null) => (file === null ? "0".repeat(40) : gitBlobId(file.bytes));
  const mode = before !== null && before.mode === after?.mode ? ` ${before.mode}` : "";
  return `index ${await idOf(before)}..${await idOf(after)}${mode}`;
}

/** Git's own rule, which knows nothing of UTF-16. */
function isBinaryToGit(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 8_000).includes(0);
}
