import worker, { AgentContainer as RealContainer } from "../../orchestrator/worker/index.ts";

export {
  AIProviderOps,
  ContainerEgress,
  ContainerProxy,
  EgressGuard,
  PatchOps,
  TaskOps,
  TaskSupervisor,
} from "../../orchestrator/worker/index.ts";

/** Of a project that allows its agents this host, containers live for seconds; all else is as it is. */
export class AgentContainer extends RealContainer {
  override open(plan: Parameters<RealContainer["open"]>[0]) {
    const isShort = plan.allowedHosts.includes("short-lived.example.com");
    return super.open(isShort ? { ...plan, lifetimeMs: 12_000 } : plan);
  }
}
const { outboundByHost = {}, outbound } = RealContainer;
AgentContainer.outboundByHost = outboundByHost;
if (outbound !== undefined) AgentContainer.outbound = outbound;

export default worker;
