import fc from "fast-check";
import { sha256 } from "./hashes.ts";
import { fileText, line, mixedLines, mostly } from "./textArbitraries.ts";

/** Sets whose patches fit the file they were made for; the file may have changed since. */
export type SoundCase = {
  base: string;
  /** The file as the engine finds it. */
  actual: string;
  knownBy: "hash" | "head" | "nothing";
  /** True when the file it was made for can still be read. */
  hasBase: boolean;
  mode: "lines" | "exact";
  coordinates: "snapshot" | "sequential";
  eof: "preserve" | "present" | "absent" | undefined;
  patches: Record<string, unknown>[];
};

/** The lines of a text with their endings, by the words of the format rather than by the engine. */
export function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+/g) ?? [];
}

/** In mode `lines` a byte order mark is no part of the first line. */
export function linesOfText(text: string): string[] {
  return splitLines(text.replace(/^\ufeff/, ""));
}

/** Some files repeat few lines, in others every line is its own. */
const baseText = fc.oneof(
  fileText,
  fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom("\n", "\r\n"), fc.boolean())
    .map(([count, ending, isCut]) => {
      const lines = Array.from({ length: count }, (_, at) => `line ${at + 1}`);
      return lines.join(ending) + (isCut ? "" : ending);
    }),
);

const insertedText = fc.oneof(
  line.filter((text) => text !== ""),
  mixedLines.filter((text) => text !== ""),
);

const operations = ["replace-block", "replace-block", "insert-before", "insert-after", "append"];

/** In some sets every patch is guarded, so that they can follow a file that changed. */
const guardKinds = fc.constantFrom(
  ["none", "none", "block", "around", "wrong"],
  ["block", "around", "block", "around", "block", "block", "block", "wrong"],
);

function patchFor(
  lines: readonly string[],
  guards: readonly string[],
): fc.Arbitrary<Record<string, unknown>> {
  const count = lines.length;
  const fields = {
    operation: fc.constantFrom(...operations.slice(count === 0 ? 2 : 0)),
    at: fc.nat({ max: Math.max(0, count - 1) }),
    more: fc.nat({ max: 2 }),
    text: insertedText,
    isDeletion: mostly(false, 4, fc.constant(true)),
    guard: fc.constantFrom(...guards),
    metadata: fc.constant({ provider: "p" }),
  };
  return fc.record(fields).map(({ operation, at, more, text, isDeletion, guard, metadata }) => {
    const end = Math.min(count, at + 1 + more);
    const place =
      operation === "replace-block"
        ? { start: at + 1, end, block: isDeletion ? "" : text }
        : operation === "append"
          ? { block: text }
          : { line: operation === "insert-before" ? at + 1 : Math.min(at + 1, count), block: text };
    const expect = guardFor(guard, operation, lines, at, end);
    return { task_id: "t", file: "f", operation, metadata, ...place, ...expect };
  });
}

function guardFor(
  guard: string,
  operation: string,
  lines: readonly string[],
  at: number,
  end: number,
): { expect?: Record<string, string> } {
  if (guard === "none" || operation === "append") return {};
  if (guard === "wrong") return { expect: { block: "not in the file\n" } };
  const last = operation === "replace-block" ? end : at + 1;
  const block = lines.slice(at, last).join("");
  if (guard === "block") return { expect: { block } };
  const after = lines[last] ?? "";
  return { expect: { before: lines[at - 1] ?? "", block, after } };
}

/** Lines that somebody else put in or took out meanwhile. */
const drift = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  {
    weight: 1,
    arbitrary: fc.record({ at: fc.nat({ max: 8 }), removed: fc.nat({ max: 2 }), text: mixedLines }),
  },
);

export const soundCase: fc.Arbitrary<SoundCase> = fc
  .tuple(baseText, guardKinds)
  .chain(([base, guards]) =>
    fc
      .record({
        drift,
        mode: fc.constantFrom("lines" as const, "lines" as const, "exact" as const),
        knownBy: fc.constantFrom(
          "hash" as const,
          "hash" as const,
          "head" as const,
          "nothing" as const,
        ),
        hasBase: fc.boolean(),
        coordinates: mostly<"snapshot" | "sequential">("snapshot", 3, fc.constant("sequential")),
        eof: mostly<SoundCase["eof"]>(
          undefined,
          3,
          fc.constantFrom("preserve", "present", "absent"),
        ),
        patches: fc.array(patchFor(linesOfText(base), guards), { minLength: 1, maxLength: 4 }),
      })
      .map(({ drift, eof, ...rest }) => ({
        ...rest,
        base,
        eof: rest.mode === "exact" ? undefined : eof,
        actual: drift === null ? base : drifted(base, drift),
      })),
  );

function drifted(text: string, change: { at: number; removed: number; text: string }): string {
  const lines = linesOfText(text);
  lines.splice(Math.min(change.at, lines.length), change.removed, change.text);
  return (text.startsWith("\ufeff") ? "\ufeff" : "") + lines.join("");
}

/** A vector of the long form, which says nothing of what is expected. */
export function soundVector({ base, actual, knownBy, hasBase, ...asked }: SoundCase) {
  const { mode, coordinates, eof, patches } = asked;
  const pre = knownBy === "hash" ? { pre: { sha256: sha256(Buffer.from(base)) } } : {};
  return {
    files: { f: { text: actual } },
    ...(hasBase ? { base_files: { f: { text: base } } } : {}),
    policy: { base_is_head: knownBy === "head" },
    set: {
      schema: "aipatch/1",
      id: "s",
      task_id: "t",
      mode,
      coordinates,
      base: {},
      files: { f: { op: "edit", ...pre, ...(eof ? { eof } : {}) } },
      patches,
    },
    after: {},
  };
}
