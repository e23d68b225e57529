import { WorkerEntrypoint } from "cloudflare:workers";
import type { z } from "zod";
import {
  type FactoryContainersContract,
  type FactoryPlan,
  factoryPlanSchema,
} from "../contracts/factoryContainers.ts";
import { ok, type Result } from "../result.ts";
import { AgentContainer } from "./AgentContainer.ts";
import { agentsOfImage } from "./agentsOfImage.ts";
import type { ContainerObject } from "./containerPlan.ts";
import { doorbellHost, modelHost } from "./egressRules.ts";
import type { FactoryContainersEnv } from "./factoryEnv.ts";
import { answerOutbound } from "./factoryOutbound.ts";

const executionId = factoryPlanSchema.shape.executionId;

/** The containers of a factory, for the orchestrator over a service binding. */
export class FactoryContainers
  extends WorkerEntrypoint<FactoryContainersEnv>
  implements FactoryContainersContract
{
  async health() {
    const { CONTAINER_AGENTS: named } = this.env;
    return ok({ agents: agentsOfImage.parse(named && JSON.parse(named)) });
  }

  async runContainer(plan: FactoryPlan) {
    const parsed = factoryPlanSchema.safeParse(plan);
    if (!parsed.success) return invalid("plan", parsed.error);
    const { organizationId: _, ...container } = parsed.data;
    const opened = await containerOf(this.env, container.executionId).open({
      ...container,
      model: container.role === "patches" ? null : "at_orchestrator",
    });
    return ok(opened.kind === "open" ? { kind: opened.kind } : opened);
  }

  async endContainer(id: string) {
    const parsed = executionId.safeParse(id);
    if (!parsed.success) return invalid("execution", parsed.error);
    await containerOf(this.env, parsed.data).close();
    return ok(null);
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const [, id, ...path] = url.pathname.split("/");
    const parsed = executionId.safeParse(id);
    if (!parsed.success) return Response.json(invalid("execution", parsed.error), { status: 422 });
    url.pathname = `/${path.join("/")}`;
    return this.env.AGENT_CONTAINER.getByName(parsed.data).fetch(new Request(url, request));
  }
}

/** Past the types of RPC, which know no unions. */
const containerOf = ({ AGENT_CONTAINER }: FactoryContainersEnv, id: string): ContainerObject =>
  AGENT_CONTAINER.getByName(id) as unknown as ContainerObject;

const invalid = (what: string, { issues }: z.ZodError): Result<never> => {
  const message = `${what}: ${issues.map((issue) => issue.message).join("; ")}`;
  return { ok: false, error: { code: "invalid_request", message } };
};

// Assigned, not declared in the class: the library keeps them by their setters. The names are given one by one so
// that the platform answers for them when the container looks them up.
AgentContainer.outboundByHost = { [modelHost]: answerOutbound, [doorbellHost]: answerOutbound };
AgentContainer.outbound = answerOutbound;

export { AgentContainer };
