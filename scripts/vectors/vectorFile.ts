import { readFileSync } from "node:fs";
import { z } from "zod";
import type { PatchFault } from "../../shared/contracts/aiPatch.ts";
import { fileModes, patchFaultCodes } from "../../shared/contracts/aiPatch.ts";
import type { PatchPolicy, TreeFile } from "../../shared/patch/apply.ts";

/** One case: a tree, a set, and what has to come of it. */
export type Vector = {
  name: string;
  tree: ReadonlyMap<string, TreeFile>;
  /** The files that the set was made for, where they can be read. */
  baseTree: ReadonlyMap<string, TreeFile> | null;
  set: unknown;
  policy: PatchPolicy;
  expected: Expected;
};

export type Expected =
  /** Files that are named must end so, null = absent; others must end as they began or as the set removes them. */
  | {
      kind: "applied";
      after: ReadonlyMap<string, ExpectedFile | null>;
      merged: readonly string[] | null;
    }
  | { kind: "already_applied" }
  | {
      kind: "refused";
      faults: readonly ExpectedFault[];
      conflicts: readonly ExpectedConflict[] | null;
    }
  /** The short form names one code, which all faults must have. */
  | { kind: "refused_for"; code: PatchFault["code"] };

export type ExpectedFile = { bytes: Uint8Array; mode: TreeFile["mode"] | null };
export type ExpectedConflict = z.infer<typeof expectedConflict>;
export type ExpectedFault = Pick<PatchFault, "code"> & Partial<Pick<PatchFault, "index" | "file">>;

/** A vector file that cannot be used; the message says why. */
export class VectorFileError extends Error {}

const code = z.enum(patchFaultCodes);
const mode = z.enum(fileModes).optional();
const vectorFileContent = z.union([
  z.string(),
  z.object({ text: z.string(), mode }),
  z.object({ base64: z.base64(), mode }),
]);
const limits = z.strictObject({
  patch_bytes: z.int().optional(),
  files: z.int().optional(),
  changed_lines: z.int().optional(),
});
const policySchema = z.strictObject({
  allowed_paths: z.array(z.string()).optional(),
  base_is_head: z.boolean().optional(),
  allow_protected: z.boolean().optional(),
  limits: limits.optional(),
});
const expectedFault = z.object({
  code,
  index: z.int().nullable().optional(),
  file: z.string().nullable().optional(),
});
const span = z.tuple([z.int(), z.int()]);
/** Each side of a hunk as [start, lines]. */
const expectedConflict = z.strictObject({
  file: z.string(),
  hunks: z.array(z.strictObject({ base: span, ours: span, theirs: span })),
});
const common = { name: z.string().min(1), policy: policySchema.optional() };
const shortVector = z.object({
  ...common,
  before: vectorFileContent.nullable(),
  patches: z.array(z.record(z.string(), z.unknown())),
  options: z.record(z.string(), z.unknown()).optional(),
  after: vectorFileContent.optional(),
  error: code.optional(),
});
const longVector = z.object({
  ...common,
  files: z.record(z.string(), vectorFileContent).optional(),
  base_files: z.record(z.string(), vectorFileContent).optional(),
  set: z.unknown(),
  after: z.record(z.string(), vectorFileContent.nullable()).optional(),
  merged: z.array(z.string()).optional(),
  errors: z.array(expectedFault).min(1).optional(),
  conflicts: z.array(expectedConflict).optional(),
  already_applied: z.literal(true).optional(),
});
type ShortVector = z.infer<typeof shortVector>;
type LongVector = z.infer<typeof longVector>;

export function readVectorFile(path: string): Vector[] {
  return parseVectors(readText(path), path);
}

export function parseVectors(text: string, name: string): Vector[] {
  const content = parseJson(text, name);
  const vectors = z.object({ vectors: z.array(z.unknown()).min(1) }).safeParse(content);
  if (!vectors.success) throw new VectorFileError(`${name} holds no vectors`);
  return vectors.data.vectors.map((vector, at) => parseVector(vector, `${name}, vector ${at}`));
}

function readText(path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    throw new VectorFileError(`${path} cannot be read: ${String(error)}`, { cause: error });
  }
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new VectorFileError(`${name} is not JSON: ${String(error)}`, { cause: error });
  }
}

function parseVector(vector: unknown, where: string): Vector {
  const isLong = typeof vector === "object" && vector !== null && "set" in vector;
  const parsed = isLong
    ? longVector.transform(fromLong).safeParse(vector)
    : shortVector.transform(fromShort).safeParse(vector);
  if (!parsed.success)
    throw new VectorFileError(`${where} is malformed: ${z.prettifyError(parsed.error)}`);
  const { expected } = parsed.data;
  if (expected === null) throw new VectorFileError(`${where} does not say what is expected`);
  return { ...parsed.data, expected };
}

function fromLong(vector: LongVector) {
  return {
    name: vector.name,
    tree: treeOf(vector.files),
    baseTree: vector.base_files === undefined ? null : treeOf(vector.base_files),
    set: vector.set,
    policy: policyOf(vector.policy, hasBaseCommit(vector.set)),
    expected: expectedOfLong(vector),
  };
}

function treeOf(files: LongVector["files"] = {}): ReadonlyMap<string, TreeFile> {
  return new Map(Object.entries(files).map(([path, file]) => [path, treeFile(file)]));
}

function expectedOfLong(vector: LongVector): Expected | null {
  const { after, merged = null, errors, conflicts = null, already_applied } = vector;
  if (already_applied) return { kind: "already_applied" };
  if (errors !== undefined)
    return { kind: "refused", faults: errors as ExpectedFault[], conflicts };
  if (after === undefined) return null;
  const files = Object.entries(after).map(
    ([path, file]) => [path, file === null ? null : expectedFile(file)] as const,
  );
  return { kind: "applied", after: new Map(files), merged };
}

function fromShort(vector: ShortVector) {
  const { before, after, error } = vector;
  const expected: Expected | null =
    error !== undefined
      ? { kind: "refused_for", code: error }
      : after !== undefined
        ? { kind: "applied", after: new Map([["file.txt", expectedFile(after)]]), merged: null }
        : null;
  return {
    name: vector.name,
    tree: new Map(before === null ? [] : [["file.txt", treeFile(before)] as const]),
    baseTree: null,
    set: setOfShort(vector),
    policy: policyOf(vector.policy, true),
    expected,
  };
}

function setOfShort({ patches, options = {} }: ShortVector) {
  const eof = options.eof === undefined ? {} : { eof: options.eof };
  return {
    schema: "aipatch/1",
    id: "vector",
    task_id: "vector",
    mode: options.mode ?? "lines",
    coordinates: options.coordinates ?? "snapshot",
    base: {},
    files: { "file.txt": { op: "edit", ...eof } },
    patches: patches.map((patch) => ({
      task_id: "vector",
      file: "file.txt",
      metadata: { provider: "vector" },
      ...patch,
    })),
  };
}

/** The files of a vector are those of its base commit, if it names one. */
function hasBaseCommit(set: unknown): boolean {
  return z.object({ base: z.object({ commit: z.unknown() }) }).safeParse(set).data !== undefined;
}

function policyOf(given: z.infer<typeof policySchema> = {}, baseIsHead: boolean): PatchPolicy {
  const { patch_bytes, files, changed_lines } = given.limits ?? {};
  const { allowed_paths } = given;
  return {
    ...(allowed_paths === undefined ? {} : { allowedPaths: allowed_paths }),
    baseIsHead: given.base_is_head ?? baseIsHead,
    allowProtected: given.allow_protected ?? false,
    limits: {
      ...(patch_bytes === undefined ? {} : { patchBytes: patch_bytes }),
      ...(files === undefined ? {} : { files }),
      ...(changed_lines === undefined ? {} : { changedLines: changed_lines }),
    },
  };
}

function treeFile(file: z.infer<typeof vectorFileContent>): TreeFile {
  const { bytes, mode } = expectedFile(file);
  return { bytes, mode: mode ?? "100644" };
}

function expectedFile(file: z.infer<typeof vectorFileContent>): ExpectedFile {
  if (typeof file === "string") return { bytes: Buffer.from(file), mode: null };
  const bytes = "text" in file ? Buffer.from(file.text) : Buffer.from(file.base64, "base64");
  return { bytes, mode: file.mode ?? null };
}
