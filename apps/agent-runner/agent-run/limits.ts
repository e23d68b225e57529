import type { StopSwitch } from "../runs/stopSwitch.ts";

/** Stops a run that takes too long, or from which nothing has been heard for too long. */
export function watchLimits(
  stopSwitch: StopSwitch,
  limits: { wallClockMs: number; silenceMs: number },
) {
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
