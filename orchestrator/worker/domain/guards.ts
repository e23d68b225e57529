/**
 * Every guard of the core by its name: a condition without which a crash, a doubled message or an unlucky order
 * of events would do harm. The simulation takes each one away and must see the harm; what it cannot see is
 * either not needed or not tested. See docs/simulation.md.
 */
export const guardNames = [
  // Accepting
  "idempotency_key",
  // Admission
  "claim_once",
  "claim_cap_all",
  "claim_cap_provider",
  "claim_cap_organization",
  "claim_cap_project",
  "fair_turn",
  "order_in_turn",
  // The gate
  "gate_once",
  "gate_not_cancelled",
  "superseded_run_ended",
  // The run
  "event_cursor",
  "all_events_held",
  "unseen_run_ended",
  "wall_clock_enforced",
  "silence_enforced",
  // Settling
  "settle_once",
  "settle_not_cancelled",
  "attempts_bounded",
  "deadline_kept",
  // The patch
  "verify_not_cancelled",
  "deliver_once",
  "end_patch_once",
  "verdict_of_tree",
  "move_ref_compared",
  "read_ref_first",
  // The branch has moved
  "moved_branch_goes_on",
  "moves_bounded",
  "applied_onto_head",
  // Approval
  "approver_differs",
  "approval_binds",
  // Taking back
  "revert_delivered",
  "revert_once",
  // Waiting
  "unpark_when_due",
  "answer_once",
  "input_expires",
  "remediation_depth",
  "adopt_final_child",
  "cancel_child",
  // Telling
  "notice_key",
  "notice_resent",
  // Picking up what was left behind
  "sweep_resends_message",
  "sweep_wakes_supervisor",
  "sweep_hands_over_again",
  "redelivery_starts_again",
  // Dead letters
  "dead_letter_recorded",
  "replay_once",
] as const;
export type GuardName = (typeof guardNames)[number];

/** True in the simulation's own process alone; a build for production puts `false` in its place. */
declare const SIMULATION: boolean;

const switchedOff = new Set<GuardName>();

/** Whether a guard is in force: always, except in a simulation that has taken it away. */
export const stands = (name: GuardName): boolean =>
  !(typeof SIMULATION !== "undefined" && SIMULATION && switchedOff.has(name));

/** For the simulation: these guards are out of force until the next call. */
export function switchOff(names: readonly GuardName[]): void {
  switchedOff.clear();
  for (const name of names) switchedOff.add(name);
}
