import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import {
  type PatchFault,
  type PatchSet,
  patchFaultSchema,
  patchSetSchema,
} from "../../shared/contracts/aiPatch.ts";
import { type ApplyOutcome, applyPatchInput } from "../../shared/patch/apply.ts";
import { contentKey } from "../../shared/patch/contentKey.ts";
import { invertPatchSet } from "../../shared/patch/invert.ts";
import { parsePatchSet } from "../../shared/patch/parse.ts";
import { setFromSeedPayload } from "../../shared/patch/seedPayload.ts";
import type { Vector } from "./vectorFile.ts";

const changedFile = z.strictObject({ base64: z.string(), mode: z.string() }).nullable();
const shift = z.strictObject({ index: z.int(), file: z.string(), lines: z.int() });
const span = z.strictObject({ start: z.int(), lines: z.int() });
const hunk = z.strictObject({ base: span, ours: span, theirs: span });
const conflict = z.strictObject({
  file: z.string(),
  hunks: z.array(hunk),
  marked: z.string().nullable(),
});
const outcomeSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("applied"),
    files: z.record(z.string(), changedFile),
    shifts: z.array(shift),
    merged: z.array(z.string()),
    inverse: patchSetSchema,
    content_key: z.string().nullable(),
  }),
  z.object({ kind: z.literal("already_applied"), content_key: z.string().nullable() }),
  z.object({
    kind: z.literal("refused"),
    faults: z.array(patchFaultSchema),
    conflicts: z.array(conflict).optional(),
    content_key: z.string().nullable(),
  }),
]);

/** What an engine did with one vector, in the words of the Python engine. */
export type EngineOutcome = z.infer<typeof outcomeSchema>;

const patchManager = fileURLToPath(
  new URL("../../apps/patch-manager/patch_manager.py", import.meta.url),
);

/** The Python engine did not answer as it must. */
export class EngineError extends Error {}

/** One process for a whole file of vectors, which may be given as text on standard input. */
export function runPython(file: string | { text: string }): EngineOutcome[] {
  const [name, input] = typeof file === "string" ? [file, ""] : ["-", file.text];
  const run = spawnSync("python3", [patchManager, "vectors", name, "--json"], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (run.error) throw new EngineError(`python3 does not start: ${run.error.message}`);
  if (run.status !== 0)
    throw new EngineError(`the Python engine ended with ${run.status}: ${run.stdout}${run.stderr}`);
  return z.object({ vectors: z.array(outcomeSchema) }).parse(JSON.parse(run.stdout)).vectors;
}

export async function runTypeScript(vector: Vector): Promise<EngineOutcome> {
  const { tree, baseTree, policy } = vector;
  const readFile = (path: string) => tree.get(path);
  const readBase = baseTree === null ? undefined : (path: string) => baseTree.get(path);
  const outcome = await applyPatchInput(vector.set, readFile, policy, readBase);
  const content_key = await keyOf(vector.set);
  if (outcome.kind === "refused") return { ...refusal(outcome), content_key };
  if (outcome.kind !== "applied") return { ...outcome, content_key };
  const set = setFromSeedPayload(vector.set) as PatchSet;
  const files = [...outcome.files].map(
    ([path, file]) => [path, file && { base64: base64Of(file.bytes), mode: file.mode }] as const,
  );
  const { shifts = [], merged = [] } = outcome;
  const inverse = await invertPatchSet(set, outcome, readFile);
  return {
    kind: "applied",
    files: Object.fromEntries(files),
    shifts,
    merged,
    inverse,
    content_key,
  };
}

function refusal({ faults, conflicts }: Extract<ApplyOutcome, { kind: "refused" }>) {
  if (conflicts === undefined) return { kind: "refused" as const, faults };
  const marked = conflicts.map((one) => ({ ...one, marked: one.marked && base64Of(one.marked) }));
  return { kind: "refused" as const, faults, conflicts: marked };
}

const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

async function keyOf(set: unknown): Promise<string | null> {
  const parsed = parsePatchSet(setFromSeedPayload(set));
  return parsed.kind === "parsed" ? contentKey(parsed.set satisfies PatchSet) : null;
}

export function faultCodes(faults: readonly PatchFault[]): string {
  return faults.map(({ index, code }) => (index === null ? code : `${index}:${code}`)).join(" ");
}
