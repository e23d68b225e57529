import { monotonicFactory } from "ulid";
import type { Clock } from "../domain/ports/clock.ts";
import type { Ids } from "../domain/ports/ids.ts";

/** ULIDs whose random part comes from crypto; within one ms they still grow, so that a batch's log keeps its order. */
export function systemIds(clock: Clock): Ids {
  const next = monotonicFactory(randomFraction);
  return {
    next: (prefix) => `${prefix}_${next(clock.nowMs())}`,
    token: () => base64Url(crypto.getRandomValues(new Uint8Array(32))),
  };
}

const randomFraction = (): number => {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return value / 2 ** 32;
};

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
