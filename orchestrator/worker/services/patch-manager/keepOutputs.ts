import type { ValidationReport } from "../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { outputKey } from "../../domain/outputKey.ts";
import type { Runner } from "../../domain/ports/runner.ts";
import { type StepResult, wait } from "../../domain/ports/supervision.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";
import type { PatchDeps } from "./deps.ts";

const mostTries = 3;
const pauseMs = 2_000;

export type KeptOutputs =
  | { kind: "kept"; attempt: Attempt; validation: ValidationReport }
  | { kind: "later"; result: StepResult };

type KeepDeps = Pick<PatchDeps, "memory" | "archives" | "log">;

/** The run whose commands they are, and where it is asked. */
export type ValidatedBy = {
  runner: Runner;
  id: string;
  place: NonNullable<ValidationReport["place"]>;
};

/** Of a run that has not begun. */
export const noOutputs = { outputTries: 0, outputsHeld: [] } satisfies Partial<Attempt>;

/**
 * Takes what the commands printed from the runner of their verdict to R2, before the verdict is written. What a
 * patch comes to does not hang on it: after a few tries the verdict is written without. A try counts before it is made.
 */
export async function keepOutputs(
  deps: KeepDeps,
  by: ValidatedBy,
  before: Attempt,
  report: ValidationReport,
): Promise<KeptOutputs> {
  const { outputTries = 0, outputsHeld = [] } = before;
  const missing = withOutput(report).filter((command) => !outputsHeld.includes(command));
  if (missing.length === 0 || outputTries >= mostTries)
    return { kind: "kept", attempt: before, validation: verdictOf(report, by, outputsHeld) };
  let attempt = { ...before, outputTries: outputTries + 1 };
  for (const command of missing) {
    deps.memory.save(attempt);
    const failure = await keepOne(deps, by, attempt, command);
    if (failure === null)
      attempt = { ...attempt, outputsHeld: [...(attempt.outputsHeld ?? []), command] };
    else if (isPassing(failure) && attempt.outputTries < mostTries)
      return { kind: "later", result: wait(attempt, pauseMs) };
    else tellLost(deps, attempt, by.id, command, failure);
  }
  const validation = verdictOf(report, by, attempt.outputsHeld ?? []);
  return { kind: "kept", attempt: { ...attempt, outputTries: mostTries }, validation };
}

const withOutput = ({ commands }: ValidationReport): number[] =>
  commands.flatMap(({ output }, command) => (output == null ? [] : [command]));

/** Null = it is in R2. */
async function keepOne(
  { archives }: KeepDeps,
  { runner, id }: ValidatedBy,
  attempt: Attempt,
  command: number,
): Promise<{ error: unknown } | null> {
  const key = outputKey(attempt, id, command);
  try {
    await runner.takeOutput(id, command, (bytes, body) => archives.put(key, bytes, body));
    return null;
  } catch (error) {
    return { error };
  }
}

const isPassing = ({ error }: { error: unknown }): boolean =>
  !(error instanceof SwitchyardError) || error.retryable;

function tellLost(
  { log }: KeepDeps,
  { organizationId, taskId, fence }: Attempt,
  id: string,
  command: number,
  { error }: { error: unknown },
): void {
  log.warn("patch.output_not_kept", { organizationId, taskId, fence, id, command, error });
}

const verdictOf = (
  report: ValidationReport,
  { id: run, place }: ValidatedBy,
  held: readonly number[],
): ValidationReport =>
  report.status === "none"
    ? report
    : {
        ...report,
        place,
        run,
        commands: report.commands.map((verdict, command) =>
          verdict.output == null || held.includes(command) ? verdict : { ...verdict, output: null },
        ),
      };
