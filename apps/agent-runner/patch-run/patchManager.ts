import { join } from "node:path";
import { z } from "zod";
import { type PatchSet, patchFaultSchema } from "../../../shared/contracts/aiPatch.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { PatchPolicy } from "../../../shared/patch/apply.ts";
import { type RunMarkers, runEnvironment } from "../processes/environment.ts";
import { runProgram } from "../processes/runProgram.ts";

const outcomeSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("applied"),
    files: z.array(
      z.object({
        path: z.string(),
        deleted: z.boolean().optional(),
        sha256: z.string().optional(),
        mode: z.string().optional(),
      }),
    ),
  }),
  z.object({ kind: z.literal("already_applied") }),
  z.object({
    kind: z.literal("refused"),
    faults: z.array(patchFaultSchema),
    conflicts: z.array(z.object({ file: z.string(), hunks: z.array(z.unknown()) })).optional(),
  }),
  z.object({ kind: z.literal("unreadable"), message: z.string() }),
  z.object({ kind: z.literal("failed"), message: z.string() }),
]);
type Outcome = z.infer<typeof outcomeSchema>;
export type PatchManagerOutcome = Extract<
  Outcome,
  { kind: "applied" | "already_applied" | "refused" }
>;

export type PatchManagerRequest = {
  set: PatchSet;
  policy: PatchPolicy;
  /** The tree that the set is applied to. */
  root: string;
  /** The tree that the set was made for, where that is another one. */
  baseRoot: string | null;
  temporary: string;
  markers: RunMarkers;
  signal: AbortSignal;
};

const program = join(import.meta.dirname, "../../patch-manager/patch_manager.py");

/** The Python engine, which writes to the disk what the TypeScript engine has only said. */
export async function runPatchManager(request: PatchManagerRequest): Promise<PatchManagerOutcome> {
  const { policy } = request;
  const outcome = await runProgram({
    argv: [
      ...["python3", "-I", "-B", program, "apply", "--json", "--root", request.root],
      ...(policy.baseIsHead ? ["--base-is-head"] : []),
      ...(policy.allowProtected ? ["--allow-protected"] : []),
      ...(request.baseRoot === null ? [] : ["--base", request.baseRoot]),
    ],
    cwd: request.root,
    env: runEnvironment(request.markers, { home: request.temporary, temporary: request.temporary }),
    stdin: JSON.stringify(request.set),
    timeLimitMs: 600_000,
    maxOutputBytes: 64 * 1024 * 1024,
    signal: request.signal,
  });
  const said = parse(outcome.stdout.toString("utf8"));
  if (said?.kind === "unreadable" || said?.kind === "failed") throw broken(said.message);
  if (said === null) throw broken(outcome.stderr.trim().split("\n").at(-1) ?? "it said nothing");
  return said;
}

function parse(text: string): Outcome | null {
  try {
    return outcomeSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

const broken = (message: string) =>
  new SwitchyardError("internal", `The Patch Manager failed: ${message}`);
