import type {
  ContainerPlan,
  OpenedContainer,
} from "../../../../shared/containers/containerPlan.ts";

/** The containers of executions, one each. Every call may be repeated. */
export type AgentContainers = {
  /** Starts the container, or finds it running. Answers the token that stands for a key inside it. */
  open(plan: ContainerPlan): Promise<OpenedContainer>;
  /** Ends it at once and for good. */
  close(executionId: string): Promise<void>;
};

/** A source as a git bundle of one branch; null as a branch means that the source named a commit. */
export type SourceBundle = {
  commit: string;
  branch: string | null;
  body: ReadableStream<Uint8Array>;
};
