import type { ValidationCommand, ValidationReport } from "../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import type { Runner } from "../../domain/ports/runner.ts";
import type { Attempt } from "../../domain/ports/supervisorMemory.ts";

/** Who runs the project's commands on a patched tree. */
export type Validator =
  /** The runner of patches itself, on an export of the tree. */
  | { kind: "runner_of_patches" }
  /** A runner whose every run has a clean container. */
  | { kind: "containers"; runner: Runner }
  /** The containers that the attempt's agent worked in are not known any more. */
  | { kind: "gone"; because: string };

export type ValidatorOf = (attempt: Attempt) => Validator;

/** Errors: `runner_unreachable` where there are no containers (any more). */
export function containersOf(validatorOf: ValidatorOf, attempt: Attempt): Runner {
  const validator = validatorOf(attempt);
  if (validator.kind === "containers") return validator.runner;
  const because =
    validator.kind === "gone" ? validator.because : "agents work in containers no more";
  throw new SwitchyardError("runner_unreachable", `There is no container: ${because}.`);
}

/**
 * Gives back the containers of an attempt's validations, whatever goes on in them. May be repeated. What is not
 * registered any more cannot be asked; their lifetime ends them.
 */
export async function releaseValidations(
  validatorOf: ValidatorOf,
  attempt: Attempt,
): Promise<void> {
  const open = attempt.openValidations ?? [];
  const validator = open.length === 0 ? null : validatorOf(attempt);
  if (validator?.kind !== "containers") return;
  for (const id of open) await validator.runner.release?.(id);
}

/** A verdict for each command that was asked for, in that order, and a sum that follows from them. */
export function isWholeVerdict(
  names: readonly ValidationCommand["name"][],
  { status, commands }: ValidationReport,
): boolean {
  const isPassed = commands.every((verdict) => verdict.status === "passed");
  return (
    commands.length === names.length &&
    commands.every(({ name }, at) => name === names[at]) &&
    status === (isPassed ? "passed" : "failed")
  );
}
