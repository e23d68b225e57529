import { taskMessageSchema } from "../../../shared/contracts/queueMessages.ts";
import { recordDeadLetter, recordUnreadable } from "../services/sweep/recordDeadLetter.ts";
import { type ConsumerDeps, faultsOf, type QueueBatch, type QueueMessage } from "./queue.ts";

/** Consumes the dead-letter queue: the task says what happened to its message, and an operator sees it. */
export async function consumeDeadLetters(deps: ConsumerDeps, batch: QueueBatch): Promise<void> {
  for (const message of batch.messages) {
    try {
      await record(deps, message);
      message.ack();
    } catch (error) {
      deps.log.warn("dead_letter.not_recorded", { id: message.id, error });
      message.retry({ delaySeconds: 60 });
    }
  }
}

async function record(deps: ConsumerDeps, message: Pick<QueueMessage, "id" | "body">) {
  const parsed = taskMessageSchema.safeParse(message.body);
  if (!parsed.success) return recordUnreadable(deps, message, faultsOf(parsed.error));
  const { organization_id: organizationId, task_id: taskId } = parsed.data;
  await recordDeadLetter(deps, { organizationId, taskId }, message.id);
}
