import { taskMessageSchema } from "../../../shared/contracts/queueMessages.ts";
import type { Deps } from "../compose.ts";
import { dispatchTask } from "../services/ai-providers/dispatchTask.ts";

/** How long the queue waits before it delivers a message again after an infrastructure error. */
const retryDelaySeconds = 5;

/**
 * Consumes `ai-provider-tasks`. A message is acked whatever came of its task; only a broken world has it
 * delivered again, since retries run out. Poison is recorded and acked.
 */
export async function consumeTasks(deps: Deps, batch: MessageBatch<unknown>): Promise<void> {
  for (const message of batch.messages) {
    const parsed = taskMessageSchema.safeParse(message.body);
    if (!parsed.success) {
      deps.log.error("queue.poison", {
        messageId: message.id,
        faults: parsed.error.issues.map(({ path, message: text }) => `${path.join(".")}: ${text}`),
      });
      message.ack();
      continue;
    }
    const ref = { organizationId: parsed.data.organization_id, taskId: parsed.data.task_id };
    try {
      const answer = await dispatchTask(deps, ref);
      deps.log.info("task.looked_at", { ...ref, ...answer });
      message.ack();
    } catch (error) {
      deps.log.warn("task.look_failed", { ...ref, attempts: message.attempts, error });
      message.retry({ delaySeconds: retryDelaySeconds });
    }
  }
}
