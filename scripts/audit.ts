/**
 * `npm run audit -- verify`: whether the audit trail is as it was sealed. See `npm run audit -- --help`.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import type { Evidence } from "../orchestrator/worker/domain/auditFaults.ts";
import { verifyLogs } from "../orchestrator/worker/services/audit/verifyLogs.ts";
import { anchorsOfDays } from "./audit/anchors.ts";
import { readTrail } from "./audit/readTrail.ts";
import { type OrganizationReport, printReports } from "./audit/report.ts";
import { trailersIn } from "./audit/trailers.ts";
import { localDatabase, readDatabase } from "./local/readDatabase.ts";
import { defaultStateFolder } from "./local/stateFolder.ts";
import { messageOf, UsageError } from "./terminal/usageError.ts";

const usage = `usage: npm run audit -- verify [options]
  --state DIR            the database of npm start there (default: where npm start keeps it)
  --remote               the deployed database, through wrangler
  --organization org_x   this one alone; without it, all there are
  --project proj_x       this chain alone
  --repository DIR       hold the trailers of the commits on factory/* there against the chain; may be repeated
  --anchors DAYS         hold the anchors of the last days in R2 against it (default 0: none)
  --json                 one JSON object
exit: 0 the trail is as it was sealed, 1 it is not, 2 it could not be found out`;

/** Those that have a line or a seal, and those that have a row of their own. */
const everyOrganization = `
  with recursive
  written(id) as (
    select min(organization_id) from operation_logs where organization_id > ''
    union all
    select (select min(l.organization_id) from operation_logs l where l.organization_id > written.id)
    from written where written.id is not null),
  sealed(id) as (
    select min(organization_id) from operation_log_seals where organization_id > ''
    union all
    select (select min(s.organization_id) from operation_log_seals s where s.organization_id > sealed.id)
    from sealed where sealed.id is not null)
  select id from written where id is not null union select id from sealed where id is not null
  union select id from organizations order by id`;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`audit: ${messageOf(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const { values, positionals } = optionsOf();
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (positionals.length !== 1 || positionals[0] !== "verify")
    throw new UsageError(`say what to do: verify, not "${positionals.join(" ")}"`);
  if (!/^\d{1,3}$/.test(values.anchors)) throw new UsageError("--anchors must be a number of days");
  const trailers = values.repository.flatMap((folder) => trailersIn(path.resolve(folder)));
  const database = values.remote ? ["--remote"] : await localDatabase(path.resolve(values.state));
  const reports: OrganizationReport[] = [];
  const organizations = await organizationsOf(database, values.organization);
  for (const organization of organizations)
    reports.push(await verify(database, organization, values, trailers));
  const unknown = values.project === undefined ? unknownOf(trailers, reports) : [];
  for (const message of unknown) process.stderr.write(`audit: ${message}\n`);
  const intact = reports.every((report) => report.intact) && unknown.length === 0;
  if (values.json)
    process.stdout.write(`${JSON.stringify({ intact, organizations: reports, unknown })}\n`);
  else printReports(reports);
  return intact ? 0 : 1;
}

async function verify(
  database: readonly string[],
  organizationId: string,
  { project: projectId, anchors }: { project?: string | undefined; anchors: string },
  trailers: readonly Evidence[],
): Promise<OrganizationReport> {
  const reader = await readTrail({ database, organizationId, projectId });
  const report = await verifyLogs(reader, organizationId, {
    projectId,
    evidenceOf: async (chain) => [
      ...(await anchorsOfDays(database, chain, Number(anchors), Date.now())),
      ...trailers.filter((trailer) => trailer.projectId === chain.projectId),
    ],
  });
  return { organization: organizationId, ...report };
}

/** A commit that names a chain which no organization has: it was cut off whole, or is of another database. */
function unknownOf(
  trailers: readonly Evidence[],
  reports: readonly OrganizationReport[],
): string[] {
  const known = new Set(reports.flatMap(({ chains }) => chains.map(({ projectId }) => projectId)));
  return trailers
    .filter(({ projectId }) => !known.has(projectId))
    .map(
      ({ source, projectId, number }) =>
        `chain_cut: ${source} names seal ${number} of ${projectId}, and there is no such chain in this database`,
    );
}

async function organizationsOf(
  database: readonly string[],
  organization: string | undefined,
): Promise<string[]> {
  const [rows = []] = await readDatabase<{ id: string }>(database, [everyOrganization]);
  const ids = rows.map(({ id }) => id);
  if (organization === undefined) return ids;
  if (ids.includes(organization)) return [organization];
  throw new UsageError(
    `there is no organization ${organization}; there ${ids.length === 0 ? "is none" : `are: ${ids.join(", ")}`}`,
  );
}

function optionsOf() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        remote: { type: "boolean", default: false },
        state: { type: "string", default: defaultStateFolder },
        organization: { type: "string" },
        project: { type: "string" },
        repository: { type: "string", multiple: true, default: [] },
        anchors: { type: "string", default: "0" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}
