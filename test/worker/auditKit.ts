import { env } from "cloudflare:workers";
import { compose } from "../../orchestrator/worker/compose.ts";
import { sealLogs } from "../../orchestrator/worker/services/audit/sealLogs.ts";
import type { AuditReport } from "../../orchestrator/worker/services/audit/verifyLogs.ts";
import { aLogEntry } from "../builders.ts";
import type { newTenant } from "./world.ts";

/** What the tests of the audit trail share: a tenant's lines of no project, its sealer and its verification. */
export type Tenant = Awaited<ReturnType<typeof newTenant>>;
export type Verified = AuditReport & {
  anchors: { organizationId: string; projectId: string; number: number; day: string }[];
};

const dayMs = 86_400_000;

export const verify = async (tenant: Tenant, query = "") =>
  (await tenant.call("GET", `/api/v1/admin/audit/verify${query}`)).json<Verified>();

/** The lines of no project are that of the token and these. */
export async function write({ organizationId }: Tenant, count: number): Promise<void> {
  const { providerConfigs } = compose(env);
  for (let n = 0; n < count; n += 1)
    await providerConfigs.put(organizationId, "gemini", aConfig, n, aLogEntry(`line ${n}`));
}

/** What a tick does, so many days later: a head is anchored once a day. */
export const seal = (daysLater = 0) =>
  sealLogs({ ...compose(env), clock: { nowMs: () => Date.now() + daysLater * dayMs } });

const aConfig = {
  enabled: true,
  apiEndpoint: null,
  defaultModel: null,
  rateLimits: {},
  costPerToken: {},
};
