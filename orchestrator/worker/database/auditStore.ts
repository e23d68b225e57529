import { sql } from "drizzle-orm";
import type { AuditStore, ChainCursor, ChainRef, ChainState } from "../domain/ports/auditStore.ts";
import { auditQueries, type LineRow, type SealRow, toLine, toSeal } from "./auditQueries.ts";
import { boundSql } from "./boundSql.ts";
import { type Database, reading } from "./guardedBatch.ts";
import { operationLogAnchors } from "./schema.ts";

/** The audit trail's chains in D1. */
export function d1AuditStore(db: Database): AuditStore {
  const ask = <Row>(query: keyof typeof auditQueries, ...values: (string | number)[]) =>
    reading(() => db.all<Row>(boundSql(auditQueries[query], values)));
  const of = ({ organizationId, projectId }: ChainRef) => [organizationId, projectId] as const;

  return {
    chains: (after, limit) => reading(() => chains(db, after, limit)),

    async chainsOf(organizationId) {
      const rows = await ask<{ project_id: string }>("chainsOf", organizationId);
      return rows.map(({ project_id: projectId }) => ({ organizationId, projectId }));
    },

    async seals(chain, afterNumber, limit) {
      const rows = await ask<SealRow>("seals", ...of(chain), afterNumber, limit);
      return rows.map((row) => toSeal(chain, row));
    },

    async linesBetween(chain, first, last) {
      const rows = await ask<LineRow>("linesBetween", ...of(chain), first, last);
      return rows.map((row) => toLine(chain, row));
    },

    async linesAfter(chain, afterSeq, limit) {
      const rows = await ask<LineRow>("linesAfter", ...of(chain), afterSeq, limit);
      return rows.map((row) => toLine(chain, row));
    },

    async strays(organizationId) {
      const rows = await ask<{ subject_id: string; id: string }>("strays", organizationId);
      return rows.map(({ subject_id: subjectId, id }) => ({ subjectId, id }));
    },

    appendSeal: (seal, previousHash) =>
      reading(async () => {
        const { organizationId, projectId, number, firstSeq, lastSeq, digests, hash } = seal;
        const written = await db.run(sql`
          insert into operation_log_seals
            (organization_id, project_id, number, first_seq, last_seq, digests, hash, sealed_at_ms)
          select ${organizationId}, ${projectId}, ${number}, ${firstSeq}, ${lastSeq}, ${digests}, ${hash}, ${seal.sealedAtMs}
          where coalesce((
            select head.hash from operation_log_seals head
            where head.organization_id = ${organizationId} and head.project_id = ${projectId}
            order by head.number desc limit 1), '') = ${previousHash}`);
        return { kind: written.meta.changes === 1 ? "done" : "lost" };
      }),

    noteAnchor: ({ organizationId, projectId }, day, { number, hash }) =>
      reading(async () => {
        await db
          .insert(operationLogAnchors)
          .values({ organizationId, projectId, day, number, hash })
          .onConflictDoNothing();
      }),
  };
}

type ChainRow = {
  organization_id: string;
  project_id: string | null;
  last_seq: number | null;
  number: number | null;
  sealed_seq: number | null;
  hash: string | null;
  unsealed_since_ms: number | null;
  day: string | null;
  anchored_number: number | null;
};

/**
 * Hops from chain to chain in the index of the lines, instead of reading them. A null project stands for the end
 * of an organization; behind it comes the next one.
 */
async function chains(
  db: Database,
  after: ChainCursor | null,
  limit: number,
): Promise<{ chains: ChainState[]; next: ChainCursor | null }> {
  const rows = await db.all<ChainRow>(sql`
    with recursive chain(organization_id, project_id) as (
      select ${after?.organizationId ?? ""}, ${after?.projectId ?? null}
      union all
      select
        case when chain.project_id is not null then chain.organization_id else (
          select min(o.organization_id) from operation_logs o
          where o.organization_id > chain.organization_id) end,
        case when chain.project_id is null then '' else (
          select min(p.project_id) from operation_logs p
          where p.organization_id = chain.organization_id and p.project_id > chain.project_id) end
      from chain where chain.organization_id is not null limit ${limit}
    )
    select chain.organization_id, chain.project_id, s.number, s.last_seq as sealed_seq, s.hash,
      (select max(l.seq) from operation_logs l where l.organization_id = chain.organization_id
        and l.project_id = chain.project_id) as last_seq,
      (select u.at_ms from operation_logs u where u.organization_id = chain.organization_id
        and u.project_id = chain.project_id and u.seq > coalesce(s.last_seq, 0)
        order by u.seq limit 1) as unsealed_since_ms,
      a.day, a.number as anchored_number
    from chain
    left join operation_log_seals s on s.organization_id = chain.organization_id
      and s.project_id = chain.project_id and s.number = (
        select max(h.number) from operation_log_seals h
        where h.organization_id = chain.organization_id and h.project_id = chain.project_id)
    left join operation_log_anchors a on a.organization_id = chain.organization_id
      and a.project_id = chain.project_id and a.day = (
        select max(d.day) from operation_log_anchors d
        where d.organization_id = chain.organization_id and d.project_id = chain.project_id)
    where chain.organization_id is not null`);
  const last = rows.at(-1);
  const next =
    rows.length < limit || last === undefined
      ? null
      : { organizationId: last.organization_id, projectId: last.project_id };
  // The first row is where the walk began.
  return { chains: rows.slice(1).flatMap(toChainState), next };
}

function toChainState(row: ChainRow): ChainState[] {
  if (row.project_id === null || row.last_seq === null) return [];
  return [
    {
      organizationId: row.organization_id,
      projectId: row.project_id,
      lastSeq: row.last_seq,
      head: { number: row.number ?? 0, lastSeq: row.sealed_seq ?? 0, hash: row.hash ?? "" },
      unsealedSinceMs: row.unsealed_since_ms,
      anchored: row.day === null ? null : { day: row.day, number: row.anchored_number ?? 0 },
    },
  ];
}
