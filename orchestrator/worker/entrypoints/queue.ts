import { taskMessageSchema } from "../../../shared/contracts/queueMessages.ts";
import { type DispatchDeps, dispatchTask } from "../services/ai-providers/dispatchTask.ts";
import { type DeadLetterDeps, recordUnreadable } from "../services/sweep/recordDeadLetter.ts";
import { type TendDeps, tendTask } from "../services/tasks/tendTask.ts";

/** How long the queue waits before it delivers a message again after an infrastructure error. */
const retryDelaySeconds = 5;

/** What the consumers use of a batch of the platform. */
export type QueueMessage = {
  readonly id: string;
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
};
export type QueueBatch = { readonly messages: readonly QueueMessage[] };

/** What the consumers of both queues need. */
export type ConsumerDeps = DispatchDeps & DeadLetterDeps & TendDeps;

/**
 * Consumes `ai-provider-tasks`. A message is acked whatever came of its task; only a broken world has it
 * delivered again, since retries run out. Poison is recorded and acked.
 */
export async function consumeTasks(deps: ConsumerDeps, batch: QueueBatch): Promise<void> {
  for (const message of batch.messages) {
    try {
      await consume(deps, message);
      message.ack();
    } catch (error) {
      deps.log.warn("task.look_failed", { id: message.id, attempts: message.attempts, error });
      message.retry({ delaySeconds: retryDelaySeconds });
    }
  }
}

async function consume(deps: ConsumerDeps, message: Pick<QueueMessage, "id" | "body">) {
  const parsed = taskMessageSchema.safeParse(message.body);
  if (!parsed.success) return recordUnreadable(deps, message, faultsOf(parsed.error));
  const ref = { organizationId: parsed.data.organization_id, taskId: parsed.data.task_id };
  const answer = await dispatchTask(deps, ref);
  deps.log.info("task.looked_at", { ...ref, ...answer });
  if (answer.kind === "waits") await tendTask(deps, ref);
}

export const faultsOf = (error: {
  issues: readonly { path: readonly PropertyKey[]; message: string }[];
}): string => error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
