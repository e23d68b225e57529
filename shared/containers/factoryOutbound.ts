import type { ContainerObject } from "./containerPlan.ts";
import type { FactoryContainersEnv } from "./factoryEnv.ts";
import { egressRefusal, egressRequestOf, executionHeader, passOn } from "./passOn.ts";

/**
 * All that leaves a container of this factory over HTTP and HTTPS. A host that the project allows is asked from
 * here; the model service and the doorbell are the orchestrator's, which has the keys and knows the run.
 */
export async function answerOutbound(
  request: Request,
  given: unknown,
  { containerId }: { containerId: string },
): Promise<Response> {
  const env = given as FactoryContainersEnv;
  const { AGENT_CONTAINER: namespace } = env;
  const container = namespace.get(namespace.idFromString(containerId));
  const judged = await (container as unknown as ContainerObject).judge(egressRequestOf(request));
  const { executionId: id, decision } = judged;
  switch (decision.kind) {
    case "allowed":
      return passOn(request);
    case "orchestrator":
    case "doorbell": {
      const headers = new Headers(request.headers);
      headers.set(executionHeader, id ?? "");
      return env.ORCHESTRATOR_EGRESS.fetch(new Request(request, { headers, redirect: "manual" }));
    }
    case "denied":
      return egressRefusal(403, `${decision.host} is not allowed here: ${decision.because}`);
    case "model":
      return egressRefusal(403, "a factory has no model service of its own");
  }
}
