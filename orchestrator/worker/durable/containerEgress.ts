import { AgentContainer } from "../../../shared/containers/AgentContainer.ts";
import { doorbellHost, modelHost } from "../../../shared/containers/egressRules.ts";
import { egressRequestOf } from "../../../shared/containers/passOn.ts";
import { answerContainer } from "../entrypoints/egress.ts";
import type { Env } from "../env.ts";

/** All that leaves a container over HTTP and HTTPS comes by here. */
async function answerOutbound(
  request: Request,
  env: Env,
  { containerId }: { containerId: string },
): Promise<Response> {
  const container = env.AGENT_CONTAINER.get(env.AGENT_CONTAINER.idFromString(containerId));
  const { decision } = await container.judge(egressRequestOf(request));
  return answerContainer(env, request, decision);
}

// Assigned, not declared in the class: the library keeps them by their setters. The names are given one by one so
// that the platform answers for them when the container looks them up.
AgentContainer.outboundByHost = { [modelHost]: answerOutbound, [doorbellHost]: answerOutbound };
AgentContainer.outbound = answerOutbound;

export { AgentContainer };
