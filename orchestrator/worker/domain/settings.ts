/** What this deployment allows and how it paces itself; parsed once from the environment by env.ts. */
export type Settings = {
  localMode: boolean;
  localRoots: string[];
  publicUrl: string | null;
  allowedEndpoints: string[];
  /** Providers that may be used although no run of them was ever seen. */
  allowUnverifiedProviders: string[];
  /** Where agents run: on a runner that is there, or each in a container. */
  agentRuntime: "runner" | "container";
  /** Providers whose keys may go into their containers, since their programs cannot work otherwise. */
  allowKeysInContainers: string[];
  maxLiveExecutions: number;
  maxLivePerOrganization: number;
  /** An unsent or unwatched task is looked at again after this time, doubling. */
  resendAfterMs: number;
  /** How often a supervisor looks at a run that nobody watches and that does not ring. */
  heartbeatMs: number;
  /** A runner that cannot be reached for this long has lost its run. */
  lostAfterMs: number;
  /** Added to the limits of a run before the supervisor enforces them itself. */
  limitGraceMs: number;
};
