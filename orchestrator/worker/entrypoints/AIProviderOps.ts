import { WorkerEntrypoint } from "cloudflare:workers";
import {
  type AIProviderOpsContract,
  providerOpsArguments,
} from "../../../shared/contracts/providerOps.ts";
import type { Env } from "../env.ts";
import { assignProvider, listAvailableProviders } from "../services/ai-providers/assignProvider.ts";
import { executeTask } from "../services/ai-providers/executeTask.ts";
import { getProviderStatus } from "../services/ai-providers/providerStatus.ts";
import { taskView } from "../services/tasks/taskView.ts";
import { parseArguments } from "./arguments.ts";
import { answer } from "./callers.ts";

/** Working with providers, for factories over a service binding. */
export class AIProviderOps extends WorkerEntrypoint<Env> implements AIProviderOpsContract {
  assignProvider(...input: Parameters<AIProviderOpsContract["assignProvider"]>) {
    return answer(this.env, this.ctx.props, (deps, factory) => {
      const [taskId, provider] = parseArguments(providerOpsArguments.assignProvider, input);
      return assignProvider(deps, factory, taskId, provider);
    });
  }

  executeTask(...input: Parameters<AIProviderOpsContract["executeTask"]>) {
    return answer(this.env, this.ctx.props, async (deps, factory) => {
      const [taskId, provider] = parseArguments(providerOpsArguments.executeTask, input);
      return taskView(await executeTask(deps, factory, taskId, provider));
    });
  }

  getProviderStatus(...input: Parameters<AIProviderOpsContract["getProviderStatus"]>) {
    return answer(this.env, this.ctx.props, (deps, factory) => {
      const [name] = parseArguments(providerOpsArguments.getProviderStatus, input);
      return getProviderStatus(deps, factory, name);
    });
  }

  listAvailableProviders(...input: Parameters<AIProviderOpsContract["listAvailableProviders"]>) {
    return answer(this.env, this.ctx.props, (deps, factory) => {
      const [taskId] = parseArguments(providerOpsArguments.listAvailableProviders, input);
      return listAvailableProviders(deps, factory, taskId);
    });
  }
}
