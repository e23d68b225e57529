import type { Deps } from "../compose.ts";
import { sendDueNotices } from "../services/notices/sendNotices.ts";
import { sweepTasks } from "../services/sweep/sweepTasks.ts";

/** The tick. One part that fails does not keep the other from its work. */
export async function tick(deps: Deps): Promise<void> {
  const parts = { sweep: () => sweepTasks(deps), notices: () => sendDueNotices(deps) };
  for (const [part, work] of Object.entries(parts)) {
    try {
      await work();
    } catch (error) {
      deps.log.error("tick.part_failed", { part, error });
    }
  }
}
