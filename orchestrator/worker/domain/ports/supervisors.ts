export type TaskRef = { organizationId: string; taskId: string };

/** How the rest of the core reaches the supervisor of a task. Every call may be repeated. */
export type Supervisors = {
  /** Hands over the attempt `fence`; it begins by itself soon after. */
  start(task: TaskRef, fence: number): Promise<StartAnswer>;
  /** Has it look at its task now: after a cancel, or when the sweep finds it late. */
  poke(task: TaskRef): Promise<PokeAnswer>;
};

/** What the faces reach a supervisor for. */
export type SupervisorAccess = Supervisors & {
  /** A runner says that something happened; the token says that it is the right one. */
  ring(task: TaskRef, token: string): Promise<void>;
  /** The task's events after a position, as a response of server-sent events. */
  watch(task: TaskRef, after: { fence: number; number: number }): Promise<Response>;
};

export type StartAnswer = { kind: "accepted" } | { kind: "stale"; fence: number };
/** `fence` is the highest attempt that this supervisor knows, 0 = none. */
export type PokeAnswer = { fence: number };
