import type { TaskMessage } from "../../../shared/contracts/queueMessages.ts";
import type { TaskQueue } from "../domain/ports/taskQueue.ts";

/** The queue `ai-provider-tasks`. */
export const cloudflareTaskQueue = (queue: Queue<TaskMessage>): TaskQueue => ({
  async send({ organizationId, taskId }, delaySeconds = 0) {
    await queue.send(
      { version: 1, organization_id: organizationId, task_id: taskId },
      { contentType: "json", delaySeconds },
    );
  },
});
