import type { Health } from "../../../../shared/contracts/health.ts";
import { currentRunnerProtocol } from "../../../../shared/contracts/runner.ts";
import { version } from "../../../../shared/version.ts";
import type { DatabaseProbe } from "../../domain/ports/databaseProbe.ts";
import type { Settings } from "../../domain/settings.ts";

export type HealthDeps = {
  settings: Pick<Settings, "agentRuntime">;
  database: DatabaseProbe;
  /** The agents that this deployment is made for, with their versions. */
  agentVersions: Readonly<Record<string, string>>;
};

/** Runners and containers are not asked: `GET /api/v1/providers` does that, for who has a token. */
export async function checkHealth(deps: HealthDeps): Promise<Health> {
  const ok = await deps.database.isReachable();
  return {
    ok,
    name: "switchyard",
    version,
    runnerProtocol: currentRunnerProtocol,
    database: ok ? "ok" : "unreachable",
    agentRuntime: deps.settings.agentRuntime,
    agents: deps.agentVersions,
  };
}
