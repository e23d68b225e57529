import type { StopSwitch } from "../runs/stopSwitch.ts";

type Limits = { wallClockMs: number; silenceMs: number };

/** Of each limit the shorter one. */
export const shorter = (ofRun: Limits, ofAgent: Partial<Limits> = {}): Limits => ({
  wallClockMs: Math.min(ofRun.wallClockMs, ofAgent.wallClockMs ?? Number.POSITIVE_INFINITY),
  silenceMs: Math.min(ofRun.silenceMs, ofAgent.silenceMs ?? Number.POSITIVE_INFINITY),
});

/** Stops a run that takes too long, or from which nothing has been heard for too long. */
export function watchLimits(stopSwitch: StopSwitch, limits: Limits) {
  const wallClock = setTimeout(() => stopSwitch.stop("wall_clock"), limits.wallClockMs);
  const silence = setTimeout(() => stopSwitch.stop("silence"), limits.silenceMs);
  return {
    heard: () => void silence.refresh(),
    end: () => {
      clearTimeout(wallClock);
      clearTimeout(silence);
    },
  };
}
