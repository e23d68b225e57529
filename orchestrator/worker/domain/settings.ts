/** What this deployment allows and how it paces itself; parsed once from the environment by env.ts. */
export type Settings = {
  localMode: boolean;
  localRoots: string[];
  publicUrl: string | null;
  allowedEndpoints: string[];
  /** Providers that may be used although no run of them was ever seen. */
  allowUnverifiedProviders: string[];
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
