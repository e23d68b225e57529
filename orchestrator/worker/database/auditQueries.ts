import type { AuditLine, Seal } from "../domain/ports/auditStore.ts";

/**
 * What a verification asks, as text, for the store and for `npm run audit`: `?1` = the organization, `?2` = the
 * project, `?3` and `?4` as named. Values come as they are stored, also those that no write of ours would store.
 */
export const auditQueries = {
  /** Hops from project to project in an index, instead of reading every line. */
  chainsOf: `
    with recursive
    chain(project_id) as (
      select min(project_id) from operation_logs where organization_id = ?1 and project_id >= ''
      union all
      select (select min(l.project_id) from operation_logs l
        where l.organization_id = ?1 and l.project_id > chain.project_id)
      from chain where chain.project_id is not null),
    sealed(project_id) as (
      select min(project_id) from operation_log_seals where organization_id = ?1 and project_id >= ''
      union all
      select (select min(s.project_id) from operation_log_seals s
        where s.organization_id = ?1 and s.project_id > sealed.project_id)
      from sealed where sealed.project_id is not null)
    select project_id from chain where project_id is not null
    union select project_id from sealed where project_id is not null`,
  /** ?3 = after which number, ?4 = how many. */
  seals: `
    select number, first_seq, last_seq, digests, hash, sealed_at_ms from operation_log_seals
    where organization_id = ?1 and project_id = ?2 and number > ?3 order by number limit ?4`,
  /** ?3 = the first seq, ?4 = the last. */
  linesBetween: `
    select seq, id, subject_id, actor, action, message, details, at_ms from operation_logs
    where organization_id = ?1 and project_id = ?2 and seq between ?3 and ?4 order by seq`,
  /** ?3 = after which seq, ?4 = how many. */
  linesAfter: `
    select seq, id, subject_id, actor, action, message, details, at_ms from operation_logs
    where organization_id = ?1 and project_id = ?2 and seq > ?3 order by seq limit ?4`,
  strays: `
    select subject_id, id from operation_logs
    where organization_id = ?1 and project_id is null limit 20`,
} as const;

export type SealRow = {
  number: number;
  first_seq: number;
  last_seq: number;
  digests: string;
  hash: string;
  sealed_at_ms: number;
};
export type LineRow = {
  seq: number;
  id: string;
  subject_id: string;
  actor: string;
  action: string;
  message: string;
  details: string | null;
  at_ms: number;
};

export const toSeal = (
  chain: { organizationId: string; projectId: string },
  row: SealRow,
): Seal => ({
  organizationId: chain.organizationId,
  projectId: chain.projectId,
  number: row.number,
  firstSeq: row.first_seq,
  lastSeq: row.last_seq,
  digests: row.digests,
  hash: row.hash,
  sealedAtMs: row.sealed_at_ms,
});

export const toLine = (
  chain: { organizationId: string; projectId: string },
  row: LineRow,
): AuditLine => ({
  organizationId: chain.organizationId,
  projectId: chain.projectId,
  seq: row.seq,
  id: row.id,
  subjectId: row.subject_id,
  actor: row.actor,
  action: row.action,
  message: row.message,
  details: row.details,
  atMs: row.at_ms,
});
