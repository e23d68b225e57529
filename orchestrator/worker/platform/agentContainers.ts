import type { ContainerPlan, OpenedContainer } from "../../../shared/containers/containerPlan.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { AgentContainers } from "../domain/ports/agentContainers.ts";

type ContainerObject = Rpc.DurableObjectBranded & {
  open(plan: ContainerPlan): Promise<OpenedContainer>;
  close(): Promise<void>;
};

/** One container an execution, named after it. */
export function cloudflareContainers(
  namespace: DurableObjectNamespace<ContainerObject>,
): AgentContainers {
  const reach = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (error) {
      throw unreachable(error);
    }
  };
  return {
    open: (plan) =>
      reach(namespace.getByName(plan.executionId).open(plan) as Promise<OpenedContainer>),
    close: (executionId) => reach(namespace.getByName(executionId).close() as Promise<void>),
  };
}

const unreachable = (cause: unknown): SwitchyardError =>
  new SwitchyardError("runner_unreachable", "The container cannot be reached.", { cause });
