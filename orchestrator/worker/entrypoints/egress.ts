import { z } from "zod";
import type { EgressDecision } from "../../../shared/containers/egressRules.ts";
import { compose } from "../compose.ts";
import type { Env } from "../env.ts";
import { answerEgress } from "../services/egress/answerEgress.ts";
import { ringSupervisor } from "../services/tasks/ringSupervisor.ts";

const bellPath = /^\/runner\/v1\/doorbell\/([^/]{1,100})\/([^/]{1,100})$/;
const bellBody = z.object({ token: z.string().max(100) });

/** Carries out what was decided of a request that has left a container, here or at a factory. */
export function answerContainer(
  env: Env,
  request: Request,
  decision: EgressDecision,
): Promise<Response> {
  const deps = compose(env);
  const ring = async (ringing: Request) => {
    const [, organizationId = "", taskId = ""] = bellPath.exec(new URL(ringing.url).pathname) ?? [];
    const body = bellBody.safeParse(await ringing.json().catch(() => null));
    if (body.success) await ringSupervisor(deps, { organizationId, taskId }, body.data.token);
  };
  return answerEgress({ secrets: deps.secrets, ring }, request, decision);
}
