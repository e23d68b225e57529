/** Asks that a task be looked at. The row is the truth, so a message that is lost costs time only. */
export type TaskQueue = {
  send(task: { organizationId: string; taskId: string }, delaySeconds?: number): Promise<void>;
};
