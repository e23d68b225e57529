import type { RunnerHealth } from "../../shared/contracts/runner.ts";
import type { Route } from "./http/router.ts";

/** What a role brings to the runner. */
export type RoleFace = {
  routes: Route[];
  live(): string | null;
  agents(): Promise<RunnerHealth["agents"]>;
  /** Stops the live run; readers may still take what is there. */
  shutDown(): Promise<void>;
  close(): Promise<void>;
};
