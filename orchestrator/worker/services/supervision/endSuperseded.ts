import { SwitchyardError } from "../../../../shared/errors.ts";
import { stands } from "../../domain/guards.ts";
import { go, type Step, wait } from "../../domain/ports/supervision.ts";
import { handleOf, type SupervisionDeps } from "./deps.ts";
import { releaseRun } from "./releaseRun.ts";

const confirmPollMs = 1_000;

/**
 * Ends the run of an attempt that a higher one has replaced, or that was settled without its runner's word. It
 * is confirmed gone before a newer attempt may begin.
 */
export const endSuperseded =
  (deps: SupervisionDeps): Step =>
  async (attempt) => {
    const done = { ...attempt, phase: "done" as const, endedAtMs: deps.clock.nowMs() };
    const agent = deps.agentOf(attempt.provider ?? "");
    await deps.releaseValidations(attempt);
    if (agent === null || attempt.executionId === null || !stands("superseded_run_ended"))
      return go(done);
    const handle = handleOf(attempt);
    try {
      await agent.cancel(handle, "cancel");
      const progress = await agent.progress(handle);
      if (progress.kind === "live") return wait(attempt, confirmPollMs);
      await releaseRun(deps, attempt);
      return go(done);
    } catch (error) {
      if (error instanceof SwitchyardError && error.code === "run_not_found") return go(done);
      throw error;
    }
  };
