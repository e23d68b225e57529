import { z } from "zod";
import type { ContainerPlan, OpenedContainer } from "../../../shared/containers/containerPlan.ts";
import {
  type FactoryContainersContract,
  type FactoryPlan,
  factoryContainerSchema,
  factoryHealthSchema,
} from "../../../shared/contracts/factoryContainers.ts";
import { runnerAnswer } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { FactoryRef } from "../domain/placement.ts";
import type { AgentContainers } from "../domain/ports/agentContainers.ts";

/** Keeps what a run in a factory's containers may ask of the orchestrator: one object an execution. */
export type EgressGuardObject = Rpc.DurableObjectBranded & {
  open(factory: FactoryRef, plan: ContainerPlan): Promise<OpenedContainer>;
  close(): Promise<void>;
};

/** An image may have to be pulled before a container of it answers. */
const startTimeoutMs = 5 * 60_000;
const callTimeoutMs = 30_000;

/**
 * The containers of a factory. Its worker learns a token and hosts, never a key: what the token is worth is in the
 * guard, which is opened before the container and closed before it, whether the factory answers or not.
 */
export function factoryContainers(
  service: FactoryContainersContract,
  guards: DurableObjectNamespace<EgressGuardObject>,
  factory: FactoryRef,
): AgentContainers {
  const guardOf = (executionId: string) => guards.getByName(executionId);
  return {
    async open(plan) {
      const guarded = (await guardOf(plan.executionId).open(factory, plan)) as OpenedContainer;
      if (guarded.kind !== "open") return guarded;
      const opened = await ask(
        () => service.runContainer(planFor(factory, plan, guarded.token)),
        factoryContainerSchema,
        startTimeoutMs,
      );
      return opened.kind === "open" ? guarded : opened;
    },
    async close(executionId) {
      await guardOf(executionId).close();
      await ask(() => service.endContainer(executionId), z.null(), callTimeoutMs);
    },
  };
}

/** The agents of a factory's image with their versions. */
export async function agentsOfFactory(
  service: FactoryContainersContract,
  timeoutMs: number,
): Promise<Readonly<Record<string, string>>> {
  return (await ask(() => service.health(), factoryHealthSchema, timeoutMs)).agents;
}

const planFor = (
  { organizationId }: FactoryRef,
  { executionId, lifetimeMs, allowedHosts, role }: ContainerPlan,
  token: string,
): FactoryPlan => ({
  organizationId,
  executionId,
  token,
  lifetimeMs,
  allowedHosts: [...allowedHosts],
  // A factory of an earlier version refuses a field that it does not know.
  ...(role === "patches" ? { role } : {}),
});

/** A call over RPC, checked like the answer of any runner, and given up after a time. */
async function ask<T extends z.ZodType>(
  call: () => Promise<unknown>,
  schema: T,
  timeoutMs: number,
): Promise<z.output<T>> {
  const parsed = runnerAnswer(schema).safeParse(await reach(call, timeoutMs));
  if (!parsed.success)
    throw new SwitchyardError(
      "runner_protocol_error",
      "The factory answered something that is not the contract of FactoryContainers.",
    );
  const answer = parsed.data as
    | { ok: true; value: z.output<T> }
    | { ok: false; error: { code: SwitchyardError["code"]; message: string } };
  if (answer.ok) return answer.value;
  throw new SwitchyardError(answer.error.code, answer.error.message);
}

async function reach(call: () => Promise<unknown>, timeoutMs: number): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([call(), late]);
  } catch (error) {
    throw unreachable(error);
  } finally {
    clearTimeout(timer);
  }
}

const unreachable = (cause: unknown): SwitchyardError =>
  new SwitchyardError("runner_unreachable", "The factory's worker cannot be reached.", { cause });
