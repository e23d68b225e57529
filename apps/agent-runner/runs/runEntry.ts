import type { RunStatus, StopReason } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { EventLog } from "./eventLog.ts";
import type { StopSwitch } from "./stopSwitch.ts";

/** A run as the book knows it. */
export type RunEntry = {
  readonly id: string;
  readonly fence: number;
  readonly log: EventLog;
  /** Null once the run is finished. */
  live: StopSwitch | null;
  readonly onFinish: Set<() => void>;
  /** The report, where the disk would not take it. */
  unsaved: { report: unknown } | null;
};

/** What a reader of events follows. */
export type EventSource = {
  log: EventLog;
  isFinished(): boolean;
  /** Calls back when there is more to read or the run has finished; returns how to stop that. */
  onChange(listener: () => void): () => void;
};

export const statusOf = (entry: RunEntry): RunStatus => ({
  id: entry.id,
  fence: entry.fence,
  state: entry.live === null ? "finished" : "live",
  lastEvent: entry.log.lastNumber(),
});

export function eventSourceOf(entry: RunEntry): EventSource {
  return {
    log: entry.log,
    isFinished: () => entry.live === null,
    onChange: (listener) => {
      const stop = entry.log.onMore(listener);
      entry.onFinish.add(listener);
      return () => {
        stop();
        entry.onFinish.delete(listener);
      };
    },
  };
}

export function finish(entry: RunEntry): void {
  entry.live = null;
  for (const listener of [...entry.onFinish]) listener();
}

/** A finished run stays as it is: to cancel it changes nothing. */
export function stopRun(entry: RunEntry, reason: StopReason): void {
  entry.live?.stop(reason);
}

export function refuseStaleFence(entry: RunEntry, fence: number): void {
  if (fence >= entry.fence) return;
  throw new SwitchyardError(
    "stale_fence",
    `${entry.id} is known with fence ${entry.fence}; a call with fence ${fence} comes too late.`,
  );
}
