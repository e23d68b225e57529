import type { NumberedEvent } from "../../../shared/contracts/agentEvent.ts";
import type { EventLog } from "./eventLog.ts";
import type { StopSwitch } from "./stopSwitch.ts";

/** What the work of a run may use of it. */
export type LiveRun = {
  id: string;
  fence: number;
  /** A folder that is the run's alone. */
  folder: string;
  log: EventLog;
  stopSwitch: StopSwitch;
};

/** A run that the runner did not live to report on; its events are those that reached the disk. */
export type InterruptedRun = {
  id: string;
  about: Readonly<Record<string, string>>;
  startedAtMs: number;
  folder: string;
  events: AsyncIterable<NumberedEvent>;
};

/** What a kind of run is, beside its life cycle. */
export type RunKind<Request, Report> = {
  about(request: Request): Record<string, string>;
  /** Does not throw for an expected reason: what went wrong is part of the report. */
  work(run: LiveRun, request: Request): Promise<Report>;
  /** The report of work that threw all the same. */
  failed(request: Request, error: unknown): Report;
  interrupted(run: InterruptedRun): Promise<Report>;
  /** Called once the report can be read. */
  finished(id: string, request: Request): void;
  /** How many finished runs stay on the disk. */
  keep: number;
};
