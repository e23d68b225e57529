import { concatBytes, encodeText, endsWithLineFeed, equalBytes, isBinary } from "./bytes.ts";
import { diffLines, type LineChange } from "./lineDiff.ts";
import { linesBetween } from "./lines.ts";
import { type LineTable, lineTable } from "./lineTable.ts";

/** Lines of one side; `start` counts from 1, and where there are no lines it is the line that they would follow. */
export type LineSpan = { start: number; lines: number };

/** Where both sides change the same lines of the base, or lines that touch, in different ways. */
export type ConflictHunk = { base: LineSpan; ours: LineSpan; theirs: LineSpan };

/** A binary file has no lines, so its conflict has no hunks, and nothing can be marked in it. */
export type MergeOutcome =
  | { kind: "merged"; bytes: Uint8Array }
  | { kind: "conflict"; hunks: ConflictHunk[]; marked: Uint8Array | null };

export type MergeLabels = { ours: string; base: string; theirs: string };

/**
 * Three-way merge by lines (diff3): what one side changes is taken, what both change alike is taken once. Lines are
 * compared with their endings. In the marked text a conflict is written as git writes it in the style `diff3`.
 */
export function mergeLines(
  base: Uint8Array,
  ours: Uint8Array,
  theirs: Uint8Array,
  labels: MergeLabels = { ours: "ours", base: "base", theirs: "theirs" },
): MergeOutcome {
  if (equalBytes(ours, theirs) || equalBytes(base, theirs)) return { kind: "merged", bytes: ours };
  if (equalBytes(base, ours)) return { kind: "merged", bytes: theirs };
  if ([base, ours, theirs].some(isBinary)) return { kind: "conflict", hunks: [], marked: null };
  const sides = { base: lineTable(base), ours: lineTable(ours), theirs: lineTable(theirs) };
  const regions = regionsOf(diffLines(base, ours), diffLines(base, theirs));
  const parts: Uint8Array[] = [];
  const hunks: ConflictHunk[] = [];
  let next = 0;
  for (const region of regions) {
    parts.push(linesBetween(sides.base, next, region.base.from));
    const resolved = resolve(region, sides);
    if (resolved === null) hunks.push(hunkOf(region));
    parts.push(resolved ?? marked(region, sides, labels));
    next = region.base.to;
  }
  parts.push(linesBetween(sides.base, next, sides.base.count));
  const bytes = concatBytes(parts);
  return hunks.length > 0 ? { kind: "conflict", hunks, marked: bytes } : { kind: "merged", bytes };
}

type Range = { from: number; to: number };

/** A stretch of the base that at least one side changes, and what stands there on each side. */
type Region = { base: Range; ours: Range; theirs: Range; changedBy: "ours" | "theirs" | "both" };
type Sides = { base: LineTable; ours: LineTable; theirs: LineTable };
type Change = LineChange & { side: "ours" | "theirs" };

/** Changes of both sides that share a line of the base, or touch, make one region. */
function regionsOf(ours: readonly LineChange[], theirs: readonly LineChange[]): Region[] {
  const changes = [...sided(ours, "ours"), ...sided(theirs, "theirs")].sort(
    (a, b) => a.oldFrom - b.oldFrom || a.oldTo - b.oldTo,
  );
  const regions: Region[] = [];
  const shift = { ours: 0, theirs: 0 };
  for (let at = 0; at < changes.length; ) {
    const { group, base } = groupAt(changes, at);
    const range = (side: "ours" | "theirs"): Range => {
      const from = base.from + shift[side];
      for (const change of group) if (change.side === side) shift[side] += growth(change);
      return { from, to: base.to + shift[side] };
    };
    const isSingle = group.every(({ side }) => side === group[0]?.side);
    const changedBy = isSingle ? (group[0]?.side ?? "both") : "both";
    regions.push({ base, ours: range("ours"), theirs: range("theirs"), changedBy });
    at += group.length;
  }
  return regions;
}

const sided = (changes: readonly LineChange[], side: Change["side"]): Change[] =>
  changes.map((change) => ({ ...change, side }));

const growth = ({ oldFrom, oldTo, newFrom, newTo }: LineChange): number =>
  newTo - newFrom - (oldTo - oldFrom);

function groupAt(changes: readonly Change[], first: number): { group: Change[]; base: Range } {
  const base = { from: changes[first]?.oldFrom ?? 0, to: changes[first]?.oldTo ?? 0 };
  let end = first;
  for (let change = changes[end]; change !== undefined; change = changes[end]) {
    if (change.oldFrom > base.to) break;
    base.to = Math.max(base.to, change.oldTo);
    end++;
  }
  return { group: changes.slice(first, end), base };
}

/** What comes of a region; null when the sides are in conflict. */
function resolve({ ours, theirs, changedBy }: Region, sides: Sides): Uint8Array | null {
  const [our, their] = [textOf(sides.ours, ours), textOf(sides.theirs, theirs)];
  if (changedBy === "ours") return our;
  return changedBy === "theirs" || equalBytes(our, their) ? their : null;
}

const textOf = (table: LineTable, { from, to }: Range): Uint8Array => linesBetween(table, from, to);

function hunkOf({ base, ours, theirs }: Region): ConflictHunk {
  return { base: spanOf(base), ours: spanOf(ours), theirs: spanOf(theirs) };
}

const spanOf = ({ from, to }: Range): LineSpan => ({
  start: to > from ? from + 1 : from,
  lines: to - from,
});

function marked({ base, ours, theirs }: Region, sides: Sides, labels: MergeLabels): Uint8Array {
  return concatBytes([
    encodeText(`<<<<<<< ${labels.ours}\n`),
    ended(textOf(sides.ours, ours)),
    encodeText(`||||||| ${labels.base}\n`),
    ended(textOf(sides.base, base)),
    encodeText("=======\n"),
    ended(textOf(sides.theirs, theirs)),
    encodeText(`>>>>>>> ${labels.theirs}\n`),
  ]);
}

/** So that a marker stands on a line of its own. */
function ended(text: Uint8Array): Uint8Array {
  return text.length === 0 || endsWithLineFeed(text) ? text : concatBytes([text, encodeText("\n")]);
}
