import { WorkerEntrypoint } from "cloudflare:workers";
import { type TaskOpsContract, taskOpsArguments } from "../../../shared/contracts/providerOps.ts";
import type { Env } from "../env.ts";
import { cancelTask } from "../services/tasks/cancelTask.ts";
import { createTask } from "../services/tasks/createTask.ts";
import { getTask } from "../services/tasks/readTasks.ts";
import { taskView } from "../services/tasks/taskView.ts";
import { parseArguments } from "./arguments.ts";
import { answer } from "./callers.ts";

/** Tasks, for factories over a service binding. */
export class TaskOps extends WorkerEntrypoint<Env> implements TaskOpsContract {
  createTask(...input: Parameters<TaskOpsContract["createTask"]>) {
    return answer(this.env, this.ctx.props, async (deps, factory) => {
      const [request, key] = parseArguments(taskOpsArguments.createTask, input);
      return (await createTask(deps, factory, request, key ?? null)).view;
    });
  }

  getTask(...input: Parameters<TaskOpsContract["getTask"]>) {
    return answer(this.env, this.ctx.props, (deps, factory) => {
      const [taskId] = parseArguments(taskOpsArguments.getTask, input);
      return getTask(deps, factory, taskId);
    });
  }

  cancelTask(...input: Parameters<TaskOpsContract["cancelTask"]>) {
    return answer(this.env, this.ctx.props, async (deps, factory) => {
      const [taskId] = parseArguments(taskOpsArguments.cancelTask, input);
      return taskView((await cancelTask(deps, factory, taskId)).task);
    });
  }
}
