import { DurableObject } from "cloudflare:workers";
import type { ContainerPlan, OpenedContainer } from "../../../shared/containers/containerPlan.ts";
import {
  type EgressDecision,
  type EgressRequest,
  judgeEgress,
} from "../../../shared/containers/egressRules.ts";
import { newTokenOfRun } from "../../../shared/containers/tokens.ts";
import type { FactoryRef } from "../domain/placement.ts";
import type { Env } from "../env.ts";

type GuardRecord = {
  phase: "open" | "closed";
  factory: FactoryRef;
  plan: ContainerPlan;
  token: string;
};

/** By then no attempt that could ask for the container again is left. */
const rememberedMs = 24 * 3_600_000;

/**
 * What one execution in the container of a factory may ask of the orchestrator. The token that the container holds
 * is made here, and is worth something only to the factory that the execution was given to, and only until its end.
 */
export class EgressGuard extends DurableObject<Env> {
  async open(factory: FactoryRef, plan: ContainerPlan): Promise<OpenedContainer> {
    const known = this.#read();
    if (known?.phase === "closed") return { kind: "closed" };
    const record: GuardRecord = known ?? { phase: "open", factory, plan, token: newTokenOfRun() };
    if (known === null) {
      this.ctx.storage.kv.put("record", record);
      await this.ctx.storage.setAlarm(Date.now() + plan.lifetimeMs);
    }
    return { kind: "open", token: record.token };
  }

  async close(): Promise<void> {
    this.ctx.storage.kv.put("record", { phase: "closed" });
    await this.ctx.storage.setAlarm(Date.now() + rememberedMs);
  }

  /** Another factory than that of the execution is told what a stranger is told. */
  async judge(asking: FactoryRef, request: EgressRequest): Promise<EgressDecision> {
    const record = this.#read();
    const lives =
      record?.phase === "open" &&
      record.factory.organizationId === asking.organizationId &&
      record.factory.factory === asking.factory;
    // Its own hosts are asked for by the factory's worker: nothing but model service and doorbell comes by here.
    const plan = lives ? { ...record.plan, token: record.token, allowedHosts: [] } : null;
    return judgeEgress(plan, request);
  }

  override async alarm(): Promise<void> {
    if (this.#read()?.phase === "open") await this.close();
    else await this.ctx.storage.deleteAll();
  }

  #read = (): GuardRecord | null => this.ctx.storage.kv.get<GuardRecord>("record") ?? null;
}
