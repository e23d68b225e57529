import { SwitchyardError } from "../../../../shared/errors.ts";
import { go, type Step, wait } from "../../domain/ports/supervision.ts";
import type { SupervisionDeps } from "./deps.ts";

/** A higher attempt has come: the run of the older one is ended, and confirmed gone, before the newer may begin. */
export const endSuperseded =
  (deps: SupervisionDeps): Step =>
  async (attempt) => {
    const done = { ...attempt, phase: "done" as const, endedAtMs: deps.clock.nowMs() };
    const agent = deps.agentOf(attempt.provider ?? "");
    if (agent === null || attempt.executionId === null) return go(done);
    const handle = { executionId: attempt.executionId, fence: attempt.fence };
    try {
      await agent.cancel(handle, "cancel");
      const progress = await agent.progress(handle);
      return progress.kind === "finished" ? go(done) : wait(attempt, 1_000);
    } catch (error) {
      if (error instanceof SwitchyardError && error.code === "run_not_found") return go(done);
      throw error;
    }
  };
