import { z } from "zod";
import type { Result } from "../result.ts";
import { runnerRoles } from "./runner.ts";

/** The container of one execution, as the orchestrator asks a factory for it. No key and no name of one is in it. */
export const factoryPlanSchema = z.strictObject({
  organizationId: z.string().min(1).max(100),
  executionId: z.string().regex(/^[A-Za-z0-9_-]{1,100}$/),
  /** What the container holds in the place of a key. The orchestrator alone knows what it is worth. */
  token: z.string().min(16).max(200),
  lifetimeMs: z.int().min(1),
  /** Hosts that the project allows its agents. */
  allowedHosts: z.array(z.string().max(255)).max(100),
  /** What the runner inside is to do; absent = agents. */
  role: z.enum(runnerRoles).optional(),
});
export type FactoryPlan = z.infer<typeof factoryPlanSchema>;

/** The agents of the factory's image, by name, with their versions. */
export const factoryHealthSchema = z.object({ agents: z.record(z.string(), z.string()) });
export type FactoryHealth = z.infer<typeof factoryHealthSchema>;

/** `closed`: it was ended, it never starts again. `gone`: it had begun the run and is no longer there. */
export const factoryContainerSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("open") }),
  z.object({ kind: z.literal("closed") }),
  z.object({ kind: z.literal("gone") }),
  z.object({ kind: z.literal("not_started"), message: z.string() }),
]);
export type FactoryContainer = z.infer<typeof factoryContainerSchema>;

/**
 * What a factory with containers of its own offers over its service binding: the entrypoint `FactoryContainers`.
 * Every call may be repeated. `fetch` takes requests of runner/1 below `/<executionId>`; a container that is not
 * there answers `run_not_found`, and is not started for a request.
 */
export type FactoryContainersContract = {
  health(): Promise<Result<FactoryHealth>>;
  /** Starts the container of an execution, or finds it running. */
  runContainer(plan: FactoryPlan): Promise<Result<FactoryContainer>>;
  /** Ends it at once and for good. */
  endContainer(executionId: string): Promise<Result<null>>;
  fetch(request: Request): Promise<Response>;
};
