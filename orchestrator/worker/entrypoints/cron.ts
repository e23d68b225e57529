import { type SealDeps, sealLogs } from "../services/audit/sealLogs.ts";
import { type NoticeDeps, sendDueNotices } from "../services/notices/sendNotices.ts";
import { type SweepDeps, sweepTasks } from "../services/sweep/sweepTasks.ts";

const maxForgottenKeys = 500;

/** The tick. One part that fails does not keep the others from their work. */
export async function tick(deps: TickDeps): Promise<void> {
  const parts = {
    sweep: () => sweepTasks(deps),
    notices: () => sendDueNotices(deps),
    idempotency: () => deps.tasks.forgetExpiredKeys(deps.clock.nowMs(), maxForgottenKeys),
    audit: () => sealLogs(deps),
  };
  for (const [part, work] of Object.entries(parts)) {
    try {
      await work();
    } catch (error) {
      deps.log.error("tick.part_failed", { part, error });
    }
  }
}

type TickDeps = SweepDeps & NoticeDeps & SealDeps;
