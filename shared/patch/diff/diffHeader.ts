import { malformedDiff } from "../hunkReader.ts";
import { type DiffHeader, emptyHeader } from "./fileDiff.ts";
import { commonName, noFile, plainName, sideName } from "./headerNames.ts";
import { headerText } from "./quotedPath.ts";

/** A header, and the index of the line after it. */
export type ReadHeader = { header: DiffHeader; next: number };

const prefixStrip = 1;
const lastField = "+++ ";

/** Reads the header that begins with `diff --git` at `at`, up to its first hunk or binary data. */
export function readGitHeader(lines: readonly Uint8Array[], at: number): ReadHeader {
  const first = headerText(lines[at] ?? new Uint8Array(0));
  const header: DiffHeader = { ...emptyHeader };
  let next = at + 1;
  for (let isOver = false; !isOver && next < lines.length; ) {
    const text = headerText(lines[next] ?? new Uint8Array(0));
    const prefix = prefixes.find((one) => text.startsWith(one));
    if (prefix === undefined) break;
    const said = fields[prefix]?.(text.slice(prefix.length), header) ?? null;
    if (said === null) throw malformedDiff(next, `git would not write ${prefix.trim()} so`);
    Object.assign(header, said);
    isOver = prefix === lastField;
    next++;
  }
  return { header: named(header, commonName(first.slice("diff --git ".length)), at), next };
}

/** Where no line below says it, the first one does, if both its sides are of one name. */
function named(header: DiffHeader, name: string | null, at: number): DiffHeader {
  const { isNew, isDeleted, isRename, isCopy } = header;
  if ([isNew, isDeleted, isRename, isCopy].filter(Boolean).length > 1)
    throw malformedDiff(at, "it says of one file what cannot be at once");
  const oldName = isNew ? null : (header.oldName ?? name);
  const newName = isDeleted ? null : (header.newName ?? name);
  const isOneFile = isNew || isDeleted || isRename || isCopy || oldName === newName;
  const isNamed = (isNew || oldName !== null) && (isDeleted || newName !== null);
  if (!isOneFile || !isNamed) throw malformedDiff(at, "it does not say which file it is of");
  return { ...header, oldName, newName };
}

/** What a field says, by the text that it begins with; null when git would not write it so. */
const fields: Record<string, (value: string, header: DiffHeader) => Partial<DiffHeader> | null> = {
  "--- ": (value, { isNew, oldName }) => {
    const name = sideName(value, prefixStrip);
    if (name === noFile) return oldName === null ? { isNew: true } : null;
    return isNew || (oldName ?? name) !== name ? null : { oldName: name };
  },
  [lastField]: (value, { isDeleted, newName }) => {
    const name = sideName(value, prefixStrip);
    if (name === noFile) return newName === null ? { isDeleted: true } : null;
    return isDeleted || (newName ?? name) !== name ? null : { newName: name };
  },
  "old mode ": (value) => ifMode(value, (oldMode) => ({ oldMode })),
  "new mode ": (value) => ifMode(value, (newMode) => ({ newMode })),
  "deleted file mode ": (value) => ifMode(value, (oldMode) => ({ oldMode, isDeleted: true })),
  "new file mode ": (value) => ifMode(value, (newMode) => ({ newMode, isNew: true })),
  "rename from ": (value) => ifName(value, (oldName) => ({ oldName, isRename: true })),
  "rename old ": (value) => ifName(value, (oldName) => ({ oldName, isRename: true })),
  "rename to ": (value) => ifName(value, (newName) => ({ newName, isRename: true })),
  "rename new ": (value) => ifName(value, (newName) => ({ newName, isRename: true })),
  "copy from ": (value) => ifName(value, (oldName) => ({ oldName, isCopy: true })),
  "copy to ": (value) => ifName(value, (newName) => ({ newName, isCopy: true })),
  "similarity index ": () => ({}),
  "dissimilarity index ": () => ({}),
  "index ": (value, header) => readIndex(value, header),
};

const prefixes = Object.keys(fields);

function ifMode(value: string, said: (mode: string) => Partial<DiffHeader>) {
  return /^[0-7]{6}\s*$/.test(value) ? said(value.trim()) : null;
}

function ifName(value: string, said: (name: string) => Partial<DiffHeader>) {
  const name = plainName(value);
  return name === null ? null : said(name);
}

/** A line of another form is no reason to refuse the diff: git takes it for text. */
function readIndex(value: string, { oldMode, newMode }: DiffHeader): Partial<DiffHeader> | null {
  const match = /^([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: (.*))?$/.exec(value);
  if (match === null) return {};
  const [, oldBlob = null, newBlob = null, both] = match;
  if (both === undefined) return { oldBlob, newBlob };
  return ifMode(both, (mode) => ({
    oldBlob,
    newBlob,
    oldMode: oldMode ?? mode,
    newMode: newMode ?? mode,
  }));
}
