import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { DoctorFinding, DoctorStore, NotApplicable } from "../../domain/ports/doctorStore.ts";

export type DoctorReport = {
  healthy: boolean;
  checkedAtMs: number;
  findings: DoctorFinding[];
  notApplicable: readonly NotApplicable[];
};

/** Holds the rows of the principal's organization against the invariants. */
export async function examine(
  { doctor, clock }: { doctor: DoctorStore; clock: Clock },
  { organizationId }: Pick<Principal, "organizationId">,
): Promise<DoctorReport> {
  const checkedAtMs = clock.nowMs();
  const { findings, notApplicable } = await doctor.examine(organizationId, checkedAtMs);
  return { healthy: findings.length === 0, checkedAtMs, findings, notApplicable };
}
