import {
  type AuditFault,
  auditFaultKinds,
  type ChainReport,
} from "../../orchestrator/worker/domain/auditFaults.ts";
import type { AuditReport } from "../../orchestrator/worker/services/audit/verifyLogs.ts";
import { count, type Paint, painter, printable } from "../terminal/style.ts";

export type OrganizationReport = AuditReport & { organization: string };

/** What was found, as a person reads it. */
export function printReports(reports: readonly OrganizationReport[]): void {
  const paint = painter(process.stdout);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  for (const { organization, chains, strays } of reports) {
    say(paint("bold", printable(organization)));
    for (const chain of chains) sayChain(say, chain, paint);
    for (const fault of strays) sayFault(say, fault);
  }
  const broken = reports.filter(({ intact }) => !intact);
  say(
    broken.length === 0
      ? `\n${paint("green", "✓")} the audit trail is as it was sealed: ${count(reports.length, "organization")}`
      : `\n${paint("red", "✗")} the audit trail of ${count(broken.length, "organization")} is not as it was sealed`,
  );
}

function sayChain(say: (line: string) => void, chain: ChainReport, paint: Paint): void {
  const { faults, faultCount } = chain;
  const mark = faultCount === 0 ? paint("green", "✓") : paint("red", "✗");
  say(`  ${mark} ${printable(nameOf(chain))}: ${figuresOf(chain)}`);
  for (const fault of faults) sayFault(say, fault);
  if (faultCount > faults.length) say(`      … and ${faultCount - faults.length} more`);
}

const nameOf = ({ projectId }: ChainReport): string =>
  projectId === "" ? "of no project" : projectId;

const figuresOf = ({ lines, seals, unsealed, evidence }: ChainReport): string =>
  [
    count(lines, "line"),
    count(seals, "seal"),
    ...(unsealed === 0 ? [] : [`${unsealed} not sealed yet`]),
    `held against ${count(evidence, "head")} elsewhere`,
  ].join(", ");

const sayFault = (say: (line: string) => void, { kind, message }: AuditFault): void =>
  say(`      ${kind} (${auditFaultKinds[kind]}): ${printable(message)}`);
