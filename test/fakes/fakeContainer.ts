import { DurableObject } from "cloudflare:workers";
import type {
  ContainerPlan,
  JudgedRequest,
  OpenedContainer,
} from "../../shared/containers/containerPlan.ts";
import { type EgressRequest, judgeEgress } from "../../shared/containers/egressRules.ts";

/** Every container that was asked for, in the order of their starts. */
export type OpenedPlan = ContainerPlan & { closed: boolean };
export const openedPlans: OpenedPlan[] = [];

/** What the fake does when it is asked to start; a test may have it fail. */
export const behaviour: { onOpen: () => OpenedContainer | null } = { onOpen: () => null };

/**
 * In the place of the object of a container, which workerd cannot have without Docker: the runner inside is the fake
 * runner of the present test, and what leaves is judged by the real rules.
 */
export class AgentContainer extends DurableObject {
  async open(plan: ContainerPlan): Promise<OpenedContainer> {
    const odd = behaviour.onOpen();
    if (odd !== null) return odd;
    if (this.#plan === undefined) openedPlans.push({ ...plan, closed: false });
    this.ctx.storage.kv.put("plan", plan);
    return { kind: "open", token: plan.token ?? "" };
  }

  async close(): Promise<void> {
    const known = openedPlans.find(({ executionId }) => executionId === this.#plan?.executionId);
    if (known !== undefined) known.closed = true;
    this.ctx.storage.kv.delete("plan");
  }

  async judge(request: EgressRequest): Promise<JudgedRequest> {
    const plan = this.#plan;
    const decision = judgeEgress(plan ? { ...plan, token: plan.token ?? "" } : null, request);
    return { executionId: plan?.executionId ?? null, decision };
  }

  override async fetch(request: Request): Promise<Response> {
    const error = { code: "run_not_found", message: "The container of the run is gone." };
    if (this.#plan === undefined) return Response.json({ ok: false, error }, { status: 404 });
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.set("authorization", "Bearer runner-token");
    return fetch(
      new Request(new Request(`http://runner.test${pathname}${search}`, request), { headers }),
    );
  }

  get #plan(): ContainerPlan | undefined {
    return this.ctx.storage.kv.get<ContainerPlan>("plan");
  }
}
