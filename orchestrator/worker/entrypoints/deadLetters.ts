import { taskMessageSchema } from "../../../shared/contracts/queueMessages.ts";
import type { Deps } from "../compose.ts";
import { recordDeadLetter } from "../services/sweep/recordDeadLetter.ts";

/** Consumes the dead-letter queue: the task says what happened to its message, and an operator sees it. */
export async function consumeDeadLetters(deps: Deps, batch: MessageBatch<unknown>): Promise<void> {
  for (const message of batch.messages) {
    const parsed = taskMessageSchema.safeParse(message.body);
    if (!parsed.success) {
      deps.log.error("dead_letter.unreadable", { messageId: message.id });
      message.ack();
      continue;
    }
    const ref = { organizationId: parsed.data.organization_id, taskId: parsed.data.task_id };
    try {
      await recordDeadLetter(deps, ref);
      message.ack();
    } catch (error) {
      deps.log.warn("dead_letter.not_recorded", { ...ref, error });
      message.retry({ delaySeconds: 60 });
    }
  }
}
