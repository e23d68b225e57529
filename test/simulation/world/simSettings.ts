import type { Settings } from "../../../orchestrator/worker/domain/settings.ts";
import type { Chance } from "./chance.ts";

const minuteMs = 60_000;

export const simSettings = (chance: Chance): Settings => ({
  localMode: true,
  localRoots: ["/repos"],
  publicUrl: "https://switchyard.test",
  allowedEndpoints: [],
  allowUnverifiedProviders: [],
  agentRuntime: "runner",
  allowKeysInContainers: [],
  maxLiveExecutions: chance.between(1, 4),
  maxLivePerOrganization: chance.between(1, 3),
  resendAfterMs: 10 * minuteMs,
  heartbeatMs: 30_000,
  lostAfterMs: 120_000,
  limitGraceMs: 15_000,
});
