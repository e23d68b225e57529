import { createMessageBatch } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../../orchestrator/worker/index.ts";

export type QueueName = "ai-provider-tasks" | "ai-provider-tasks-dlq";
export type Delivery = { queue: QueueName; body: unknown };

let deliveries: Delivery[] = [];
let areHeld = false;

/** Everything that the worker has been given to consume since the last call of `startRecording`. */
export const recordedDeliveries = (): Delivery[] => [...deliveries];
export const startRecording = (): void => {
  deliveries = [];
};

/** From now on no message comes by itself, in this file: a test delivers what is to be delivered. */
export const holdMessages = (): void => {
  areHeld = true;
};

/** What the queues of the test deployment deliver by themselves. */
export async function consume(batch: MessageBatch<unknown>, to: WorkerEnv): Promise<void> {
  if (areHeld) return batch.ackAll();
  await consumeRecorded(batch, to);
}

/** Has the worker consume a message, whether its queue holds one or not. */
export async function deliver(queue: QueueName, body: unknown): Promise<void> {
  const message = { id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body };
  await consumeRecorded(createMessageBatch(queue, [message]), env);
}

export const messageOf = (organizationId: string, taskId: string) => ({
  version: 1 as const,
  organization_id: organizationId,
  task_id: taskId,
});

async function consumeRecorded(batch: MessageBatch<unknown>, to: WorkerEnv): Promise<void> {
  const queue = batch.queue as QueueName;
  deliveries.push(...batch.messages.map(({ body }) => ({ queue, body })));
  await worker.queue(batch, to);
}
