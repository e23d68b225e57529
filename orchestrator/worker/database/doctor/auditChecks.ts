import { type Check, time } from "./check.ts";

/** The sealer comes with every tick, each minute. */
const unsealedMs = 2 * 60_000;

const tellWhoWatches =
  "Run `npm run audit -- verify`: it names the lines. Find out who can write to the database beside this worker.";

/** Chains of an organization: those of its projects and its own. */
const chains = `select '' as project_id union select p.id from projects p where p.organization_id = ?1`;

const chain = "coalesce(nullif(c.project_id, ''), 'of no project')";

/** The audit trail: sealed in time, and no seal over lines that are gone. */
export const auditChecks: readonly Check[] = [
  {
    invariant: "audit",
    name: "lines_not_sealed",
    sql: `select ${chain} || ' line ' || l.seq as id, l.action || ' of ' || l.subject_id || ', written ' || ${time("l.at_ms")} as detail
      from (${chains}) c join operation_logs l on l.organization_id = ?1 and l.project_id = c.project_id
        and l.seq > coalesce((select max(s.last_seq) from operation_log_seals s
          where s.organization_id = ?1 and s.project_id = c.project_id), 0)
      where l.at_ms < ?2 - ${unsealedMs}`,
    because:
      "Lines of the audit trail have no seal after two minutes, so a change of them would not show.",
    remedy:
      "Look whether the cron tick comes (a deployment that is stopped has none until it is started), and whether it logs tick.part_failed for audit or audit.behind.",
  },
  {
    invariant: "audit",
    name: "sealed_lines_missing",
    sql: `select ${chain} || ' seal ' || s.number as id, 'it ends with line ' || s.last_seq || ', the chain with '
        || coalesce((select max(l.seq) from operation_logs l
          where l.organization_id = ?1 and l.project_id = c.project_id), 'none') as detail
      from (${chains}) c join operation_log_seals s on s.organization_id = ?1 and s.project_id = c.project_id
        and s.last_seq > coalesce((select max(l.seq) from operation_logs l
          where l.organization_id = ?1 and l.project_id = c.project_id), 0)`,
    because:
      "Lines that were sealed are not there any more: the end of the audit trail was cut off.",
    remedy: tellWhoWatches,
  },
];
