import type { RunnerRole } from "../contracts/runner.ts";
import type { EgressDecision, EgressPlan, EgressRequest } from "./egressRules.ts";

/** What the container of one run is started with; `executionId` names the run, of an agent or of a patch set. */
export type ContainerPlan = Omit<EgressPlan, "token"> & {
  executionId: string;
  /** However the run goes, its container is gone after this time. */
  lifetimeMs: number;
  /** What the runner inside is to do; absent = agents. Where it tries a patch set, no model service belongs to it. */
  role?: RunnerRole | undefined;
  /** Made by whoever keeps the key; without one the container makes its own. */
  token?: string;
};

/** `closed`: its run was ended, it never starts again. `gone`: it had begun the run and is no longer there. */
export type OpenedContainer =
  | { kind: "open"; token: string }
  | { kind: "closed" }
  | { kind: "gone" }
  | { kind: "not_started"; message: string };

/** What became of a request that left a container, and whose it was; null = of no run. */
export type JudgedRequest = { executionId: string | null; decision: EgressDecision };

/** What the object of a container answers to over RPC, beside the requests of runner/1 that it passes in. */
export type ContainerObject = {
  open(plan: ContainerPlan): Promise<OpenedContainer>;
  close(): Promise<void>;
  judge(request: EgressRequest): Promise<JudgedRequest>;
};
