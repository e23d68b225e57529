import { SwitchyardError } from "../../../shared/errors.ts";
import { type BytePath, splitNul, toBytes } from "./bytePath.ts";
import { type GitPlace, git, gitLine } from "./git.ts";

/** An entry of a git tree: its mode in six digits and the id of its object. */
export type TreeEntry = { mode: string; id: string };

export const submoduleMode = "160000";
export const symlinkMode = "120000";

/** Every entry below a commit or tree, folders opened up. */
export async function listTree(
  place: GitPlace,
  treeish: string,
): Promise<Map<BytePath, TreeEntry>> {
  const listing = await git(place, ["ls-tree", "-r", "-z", "--full-tree", treeish]);
  return new Map(
    splitNul(listing).map((record) => {
      const [mode = "", , id = ""] = record.slice(0, record.indexOf("\t")).split(" ");
      return [record.slice(record.indexOf("\t") + 1), { mode, id }];
    }),
  );
}

/** The contents of many blobs, by id, read by one git. */
export async function readBlobs(
  place: GitPlace,
  ids: readonly string[],
): Promise<Map<string, Buffer>> {
  const wanted = [...new Set(ids)];
  const output = await git(place, ["cat-file", "--batch"], { stdin: wanted.join("\n") });
  const blobs = new Map<string, Buffer>();
  let at = 0;
  for (const id of wanted) {
    const headEnd = output.indexOf(0x0a, at);
    const [, type, size] = output.subarray(at, headEnd).toString("latin1").split(" ");
    if (type !== "blob") throw new SwitchyardError("source_unreadable", `git has no blob ${id}.`);
    at = headEnd + 1 + Number(size);
    blobs.set(id, output.subarray(headEnd + 1, at));
    at += 1;
  }
  return blobs;
}

/** The sizes of blobs in bytes, by id. */
export async function blobSizes(
  place: GitPlace,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const wanted = [...new Set(ids)];
  const args = ["cat-file", "--batch-check=%(objectname) %(objectsize)"];
  const listing = await git(place, args, { stdin: wanted.map((id) => `${id}\n`).join("") });
  const sizes = new Map<string, number>();
  for (const line of listing.toString("latin1").split("\n").slice(0, -1)) {
    const [id = "", size = ""] = line.split(" ");
    if (size === "missing")
      throw new SwitchyardError("source_unreadable", `git has no blob ${id}.`);
    sizes.set(id, Number(size));
  }
  return sizes;
}

/** Blob ids of regular files of the work tree, byte for byte as they are there. */
export async function hashFiles(
  place: GitPlace,
  paths: readonly BytePath[],
  { write }: { write: boolean },
): Promise<string[]> {
  if (paths.length === 0) return [];
  const flags = ["--no-filters", "--stdin-paths", ...(write ? ["-w"] : [])];
  const stdin = toBytes(paths.map((path) => `${quoted(path)}\n`).join(""));
  const ids = await git(place, ["hash-object", ...flags], { stdin, timeLimitMs: 600_000 });
  return ids.toString("latin1").trimEnd().split("\n");
}

export const writeBlob = (place: GitPlace, bytes: Uint8Array): Promise<string> =>
  gitLine(place, ["hash-object", "-w", "--no-filters", "--stdin"], { stdin: bytes });

/** Writes a tree that is another one with some entries replaced or, where null, removed. */
export async function writeTree(
  place: GitPlace,
  changes: Iterable<readonly [BytePath, TreeEntry | null]>,
): Promise<string> {
  const all = [...changes];
  const removals = all.map(([path]) => `0 ${"0".repeat(40)}\t${path}\0`);
  const additions = all.flatMap(([path, entry]) =>
    entry === null ? [] : [`${entry.mode} ${entry.id}\t${path}\0`],
  );
  const stdin = toBytes([...removals, ...additions].join(""));
  await git(place, ["update-index", "-z", "--index-info"], { stdin });
  return gitLine(place, ["write-tree"]);
}

/** Git reads a line that starts with a quote as a C string; so any path fits on a line. */
function quoted(path: BytePath): string {
  const escaped = path.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped here
    /[\u0000-\u001f"\\\u007f-\u00ff]/g,
    (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return `"${escaped}"`;
}
