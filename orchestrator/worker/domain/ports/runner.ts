import type { NumberedEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { CommitRequest, MoveRefAnswer } from "../../../../shared/contracts/forgeRefs.ts";
import type {
  PatchResult,
  PatchRunRequest,
  RunnerHealth,
  RunRequest,
  RunResult,
  RunStatus,
} from "../../../../shared/contracts/runner.ts";
import type { Source } from "../../../../shared/contracts/source.ts";
import type { TreeFile } from "../../../../shared/patch/treeFile.ts";

export type RunKind = "runs" | "patches";

export type FollowOptions = {
  after: number;
  waitMs: number;
  signal?: AbortSignal;
  /** Called with what arrived together, oldest first. */
  onEvents(events: NumberedEvent[]): void;
};

/** What a run may use that lies outside its runner, for a runner that keeps the two apart. */
export type RunOutside = {
  organizationId: string;
  /** The task whose session the run goes on with, where it is not its own. */
  sessionTaskId?: string;
  /** The name of the secret whose value the request holds. */
  credentialName: string;
  /** Base URL of the agent's model service where the request names none; null = it has to be its own address. */
  modelService: string | null;
  /** The agent wants to be told that an address stands for its own model service. */
  knowsOwnService: boolean;
  /** Hosts that the agent needs where its key goes in with it; null = no key goes in. */
  keyInsideHosts: readonly string[] | null;
  /** Hosts that the project allows beside it. */
  allowedHosts: readonly string[];
};

/** What the commands of a patch set may use that lies outside. */
export type PatchOutside = { allowedHosts: readonly string[] };

export type RunStart = {
  /** Of an answer of `health`: a runner that was started anew since refuses what it does not know. */
  boot?: string;
  outside?: RunOutside;
};

/** A session is its task's alone: no other task finds it by the id that an agent tells, unless a start names the task. */
export type SessionRef = { organizationId: string; taskId: string; agent: string; id: string };

/**
 * A runner over `runner/1`. Throws SwitchyardError: `runner_unreachable` when it cannot be reached,
 * `runner_protocol_error` when it answers something else than the protocol, else the code it answered.
 */
export type Runner = {
  health(timeoutMs: number): Promise<RunnerHealth>;
  startRun(executionId: string, request: RunRequest, start?: RunStart): Promise<RunStatus>;
  /** `outside` counts where the runner keeps the run apart. */
  startPatch(
    patchSetId: string,
    request: PatchRunRequest,
    outside?: PatchOutside,
  ): Promise<RunStatus>;
  /** Ends when the run is finished and all was handed over, when `waitMs` is over, or when `signal` says so. */
  follow(kind: RunKind, id: string, options: FollowOptions): Promise<void>;
  cancel(
    kind: RunKind,
    id: string,
    fence: number,
    reason: "cancel" | "wall_clock" | "silence",
  ): Promise<RunStatus>;
  runResult(executionId: string): Promise<RunResult>;
  patchResult(patchSetId: string): Promise<PatchResult>;
  /**
   * Hands what a command of a finished validation printed to `store`, with its length. The command is named by its
   * place in the request, from 0. `output_not_kept`: its tail holds it all, or it could not be kept.
   */
  takeOutput(
    patchSetId: string,
    command: number,
    store: (bytes: number, body: ReadableStream<Uint8Array>) => Promise<void>,
  ): Promise<void>;
  /**
   * Takes the session of a finished run to where a later start that names it finds it. Absent where it stays with
   * the runner. May be repeated. `session_not_found`: the run kept none.
   */
  keepSession?(executionId: string, session: SessionRef): Promise<void>;
  /** Gives back what a run occupies once its report is held, or its end was confirmed. May be repeated. */
  release?(id: string): Promise<void>;
};

/** What stands at a path of a commit; `files` counts what lies below a directory, at any depth. */
export type TreeEntry =
  | { kind: "file"; file: TreeFile }
  | { kind: "directory"; files: number }
  | { kind: "submodule" }
  | { kind: "absent" };

/** The repository that a patch is delivered to. Throws SwitchyardError. */
export type Forge = {
  readRef(source: Source, ref: string): Promise<string | null>;
  /**
   * What stands at paths of a commit, one entry for each. `files_too_large` when the files have more than
   * `maxFilesBytes` together, `source_unreadable` when there is no such commit.
   */
  readFiles(
    source: Source,
    commit: string,
    paths: readonly string[],
  ): Promise<ReadonlyMap<string, TreeEntry>>;
  /** Writes the commit and its objects; no ref moves. The same request gives the same commit. */
  commit(request: CommitRequest): Promise<string>;
  /** Compare-and-swap: moves the ref only if it is at `from` (null: only if it does not exist). */
  moveRef(source: Source, ref: string, from: string | null, to: string): Promise<MoveRefAnswer>;
  /** Whether `from` is in the history of `commit`, or is it. A commit that is not there goes on from nothing. */
  goesOn(source: Source, commit: string, from: string): Promise<boolean>;
};
