import {
  auditQueries,
  type LineRow,
  type SealRow,
  toLine,
  toSeal,
} from "../../orchestrator/worker/database/auditQueries.ts";
import type { AuditReader, ChainRef } from "../../orchestrator/worker/domain/ports/auditStore.ts";
import { readDatabase, withValues } from "../local/readDatabase.ts";

const linesAtOnce = 2_000;
const sealsAtOnce = 200;

/** Nothing is below it. */
const lowest = Number.MIN_SAFE_INTEGER;

type Place = { project_id: string };
type FullLine = LineRow & Place;
type FullSeal = SealRow & Place;

/** Whose trail, and in which database. An undefined project = every one. */
export type TrailRequest = {
  database: readonly string[];
  organizationId: string;
  projectId: string | undefined;
};

/**
 * The trail of an organization, read whole in pages and then held in memory: a page costs a start of wrangler, so
 * reading chain by chain would take minutes. Seals come first, so that what is written meanwhile is unsealed.
 */
export async function readTrail(request: TrailRequest): Promise<AuditReader> {
  const [firstSeals = [], firstLines = [], strays = []] = await ask(request, [
    sealsAfter(request, undefined),
    linesAfter(request, undefined),
    withValues(auditQueries.strays, [request.organizationId]),
  ]);
  const sealRows = await everyPage(request, firstSeals as FullSeal[], sealsAtOnce, sealsAfter);
  const lineRows = await everyPage(request, firstLines as FullLine[], linesAtOnce, linesAfter);
  const seals = Map.groupBy(
    sealRows.map((row) => toSeal(chainOf(request, row), row)),
    ({ projectId }) => projectId,
  );
  const lines = Map.groupBy(
    lineRows.map((row) => toLine(chainOf(request, row), row)),
    ({ projectId }) => projectId,
  );
  const linesOf = ({ projectId }: ChainRef) => lines.get(projectId) ?? [];
  return {
    chainsOf: async (organizationId) =>
      [...new Set([...lines.keys(), ...seals.keys()])]
        .sort()
        .map((projectId) => ({ organizationId, projectId })),
    seals: async ({ projectId }, afterNumber, limit) =>
      (seals.get(projectId) ?? []).filter(({ number }) => number > afterNumber).slice(0, limit),
    linesBetween: async (chain, first, last) =>
      linesOf(chain).filter(({ seq }) => seq >= first && seq <= last),
    linesAfter: async (chain, afterSeq, limit) =>
      linesOf(chain)
        .filter(({ seq }) => seq > afterSeq)
        .slice(0, limit),
    strays: async () =>
      (strays as FullLine[]).map(({ subject_id: subjectId, id }) => ({ subjectId, id })),
  };
}

const linesAfter = (request: TrailRequest, last: FullLine | undefined): string =>
  statement(
    request,
    `select project_id, seq, id, subject_id, actor, action, message, details, at_ms
      from operation_logs where organization_id = ?1 and ${only(request)}
        (project_id, seq, subject_id, id) > (?3, ?4, ?5, ?6)
      order by project_id, seq, subject_id, id limit ${linesAtOnce}`,
    [last?.project_id ?? "", last?.seq ?? lowest, last?.subject_id ?? "", last?.id ?? ""],
  );

const sealsAfter = (request: TrailRequest, last: FullSeal | undefined): string =>
  statement(
    request,
    `select project_id, number, first_seq, last_seq, digests, hash, sealed_at_ms
      from operation_log_seals where organization_id = ?1 and ${only(request)}
        (project_id, number) > (?3, ?4)
      order by project_id, number limit ${sealsAtOnce}`,
    [last?.project_id ?? "", last?.number ?? lowest],
  );

async function everyPage<Row>(
  request: TrailRequest,
  first: readonly Row[],
  limit: number,
  pageAfter: (request: TrailRequest, last: Row | undefined) => string,
): Promise<Row[]> {
  const all = [...first];
  for (let page = first; page.length >= limit; ) {
    const [rows = []] = await ask(request, [pageAfter(request, all.at(-1))]);
    page = rows as Row[];
    all.push(...page);
  }
  return all;
}

const ask = ({ database }: TrailRequest, statements: readonly string[]): Promise<unknown[][]> =>
  readDatabase<unknown>(database, statements);

const statement = (
  { organizationId, projectId }: TrailRequest,
  text: string,
  values: readonly (string | number)[],
): string => withValues(text, [organizationId, projectId ?? "", ...values]);

const only = ({ projectId }: TrailRequest): string =>
  projectId === undefined ? "" : "project_id = ?2 and";

const chainOf = ({ organizationId }: TrailRequest, { project_id: projectId }: Place): ChainRef => ({
  organizationId,
  projectId,
});
