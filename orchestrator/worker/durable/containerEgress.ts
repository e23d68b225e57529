import { z } from "zod";
import { compose } from "../compose.ts";
import { doorbellHost, modelHost } from "../domain/egress.ts";
import type { Env } from "../env.ts";
import { answerEgress, egressRequestOf } from "../services/egress/answerEgress.ts";
import { ringSupervisor } from "../services/tasks/ringSupervisor.ts";
import { AgentContainer } from "./AgentContainer.ts";

const bellPath = /^\/runner\/v1\/doorbell\/([^/]{1,100})\/([^/]{1,100})$/;
const bellBody = z.object({ token: z.string().max(100) });

/** All that leaves a container over HTTP and HTTPS comes by here. */
async function answerOutbound(
  request: Request,
  env: Env,
  { containerId }: { containerId: string },
): Promise<Response> {
  const deps = compose(env);
  const container = env.AGENT_CONTAINER.get(env.AGENT_CONTAINER.idFromString(containerId));
  const decision = await container.judge(egressRequestOf(request));
  return answerEgress(
    {
      secrets: deps.secrets,
      async ring(ringing) {
        const [, organizationId = "", taskId = ""] =
          bellPath.exec(new URL(ringing.url).pathname) ?? [];
        const body = bellBody.safeParse(await ringing.json().catch(() => null));
        if (body.success) await ringSupervisor(deps, { organizationId, taskId }, body.data.token);
      },
    },
    request,
    decision,
  );
}

// Assigned, not declared in the class: the library keeps them by their setters. The names are given one by one so
// that the platform answers for them when the container looks them up.
AgentContainer.outboundByHost = { [modelHost]: answerOutbound, [doorbellHost]: answerOutbound };
AgentContainer.outbound = answerOutbound;

export { AgentContainer };
