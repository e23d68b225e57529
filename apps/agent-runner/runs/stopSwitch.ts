import type { StopReason } from "../../../shared/contracts/runner.ts";

/** The one place where it is decided whether, and why, the runner itself ended a run. The first reason stays. */
export type StopSwitch = {
  readonly signal: AbortSignal;
  reason(): StopReason | null;
  stop(reason: StopReason): void;
  /** After this nothing can stop the run any more: what it came to is settled. */
  seal(): StopReason | null;
};

export function createStopSwitch(): StopSwitch {
  const controller = new AbortController();
  let reason: StopReason | null = null;
  let isSealed = false;
  return {
    signal: controller.signal,
    reason: () => reason,
    stop: (given) => {
      if (isSealed || reason !== null) return;
      reason = given;
      controller.abort();
    },
    seal: () => {
      isSealed = true;
      return reason;
    },
  };
}
