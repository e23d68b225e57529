import type { Chance } from "./chance.ts";

/** What can go wrong, and how often in one seed. Every seed draws its own rates, many of them zero. */
export const faultKinds = [
  "message_doubled",
  "message_delayed",
  "ack_lost",
  "send_failed",
  "store_failed_before",
  "store_failed_after",
  "store_outage",
  "crash_before",
  "crash_after",
  "eviction",
  "runner_failed_before",
  "runner_failed_after",
  "runner_partition",
  "runner_died",
  "runner_shut_down",
  "agent_hangs",
  "agent_silent",
  "agent_asks",
  "provider_limited",
  "provider_refused",
  "provider_timed_out",
  "patch_unmade",
  "patch_refused",
  "validation_failed",
  "branch_moved",
  "delivery_raced",
  "branch_conflicts",
  "branch_rewritten",
  "change_made_twice",
  "cancel",
  "callback_refused",
  "forged_ring",
  "late_ring",
  "tick_missed",
  "stranger",
  "parked",
  "poison",
  "request_doubled",
  "patch_remade",
  "revert",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export type FaultRates = Readonly<Record<FaultKind, number>>;

/** The largest rate that a seed may draw. */
const most: FaultRates = {
  message_doubled: 0.3,
  message_delayed: 0.3,
  ack_lost: 0.2,
  send_failed: 0.2,
  store_failed_before: 0.06,
  store_failed_after: 0.06,
  store_outage: 0.6,
  crash_before: 0.03,
  crash_after: 0.03,
  eviction: 0.5,
  runner_failed_before: 0.1,
  runner_failed_after: 0.1,
  runner_partition: 0.6,
  runner_died: 0.15,
  runner_shut_down: 0.15,
  agent_hangs: 0.15,
  agent_silent: 0.15,
  agent_asks: 0.25,
  provider_limited: 0.2,
  provider_refused: 0.1,
  provider_timed_out: 0.15,
  patch_unmade: 0.15,
  patch_refused: 0.2,
  validation_failed: 0.6,
  branch_moved: 0.5,
  delivery_raced: 1,
  branch_conflicts: 0.4,
  branch_rewritten: 0.5,
  change_made_twice: 0.3,
  cancel: 0.15,
  callback_refused: 0.3,
  forged_ring: 0.3,
  late_ring: 0.3,
  tick_missed: 0.3,
  stranger: 0.3,
  parked: 0.2,
  poison: 0.2,
  request_doubled: 0.5,
  patch_remade: 0.5,
  revert: 0.5,
};

/** About half of the kinds are quiet in a seed: a rare fault alone shows what it does. */
export const drawRates = (chance: Chance): FaultRates =>
  mapRates((kind) => (chance.happens(0.5) ? 0 : most[kind] * chance.next()));

export const noFaults: FaultRates = mapRates(() => 0);

function mapRates(rate: (kind: FaultKind) => number): FaultRates {
  return Object.fromEntries(faultKinds.map((kind) => [kind, rate(kind)])) as Record<
    FaultKind,
    number
  >;
}
