import { z } from "zod";
import type { Result } from "../result.ts";
import type { ProviderStatus, RouteDecision } from "./provider.ts";
import {
  createTaskSchema,
  idempotencyKeySchema,
  providerNameSchema,
  type TaskDetail,
  type TaskView,
} from "./task.ts";

/** What factories call over their service bindings. Every answer is a Result; nothing is thrown. */
export type AssignAnswer =
  | { kind: "decided"; decision: RouteDecision }
  | { kind: "already_assigned"; provider: string; status: string; fence: number };

export type AIProviderOpsContract = {
  /** Decides which provider gets a queued task; with a preference, binds it to that one. Starts nothing. */
  assignProvider(taskId: string, preferredProvider?: string): Promise<Result<AssignAnswer>>;
  /** Has a queued task dispatched now. A task that is dispatched already answers with its present state. */
  executeTask(taskId: string, provider?: string): Promise<Result<TaskView>>;
  getProviderStatus(providerName: string): Promise<Result<ProviderStatus>>;
  /** Every provider with the reason why it can or cannot take the task. */
  listAvailableProviders(taskId: string): Promise<Result<RouteDecision>>;
};

export type TaskOpsContract = {
  createTask(request: z.input<typeof createTaskSchema>, key?: string): Promise<Result<TaskView>>;
  getTask(taskId: string): Promise<Result<TaskDetail>>;
  cancelTask(taskId: string): Promise<Result<TaskView>>;
};

const taskId = z.string().min(1).max(100);

/** The arguments as they are checked at the edge. */
export const providerOpsArguments = {
  assignProvider: z.tuple([taskId, providerNameSchema.optional()]),
  executeTask: z.tuple([taskId, providerNameSchema.optional()]),
  getProviderStatus: z.tuple([providerNameSchema]),
  listAvailableProviders: z.tuple([taskId]),
};
export const taskOpsArguments = {
  createTask: z.tuple([createTaskSchema, idempotencyKeySchema.optional()]),
  getTask: z.tuple([taskId]),
  cancelTask: z.tuple([taskId]),
};
