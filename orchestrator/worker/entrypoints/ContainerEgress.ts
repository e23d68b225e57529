import { WorkerEntrypoint } from "cloudflare:workers";
import {
  egressRefusal,
  egressRequestOf,
  executionHeader,
} from "../../../shared/containers/passOn.ts";
import { factoryPlanSchema } from "../../../shared/contracts/factoryContainers.ts";
import { factoryPropsSchema } from "../../../shared/contracts/identity.ts";
import type { Env } from "../env.ts";
import { answerContainer } from "./egress.ts";

const executionId = factoryPlanSchema.shape.executionId;

/**
 * What the containers of factories ask of the orchestrator, passed on by their worker: the model service, whose key
 * is put on here, and the doorbell. Which factory asks is fixed in the `props` of its binding.
 */
export class ContainerEgress extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    const props = factoryPropsSchema.safeParse(this.ctx.props);
    if (!props.success) return egressRefusal(401, "the service binding carries no identity");
    const execution = executionId.safeParse(request.headers.get(executionHeader));
    if (!execution.success) return egressRefusal(403, "the request names no execution");
    const { organization: organizationId, factory } = props.data;
    const guard = this.env.EGRESS_GUARD.getByName(execution.data);
    const decision = await guard.judge({ organizationId, factory }, egressRequestOf(request));
    return answerContainer(this.env, request, decision);
  }
}
