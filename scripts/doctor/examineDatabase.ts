import {
  type CheckRow,
  doctorChecks,
  findingsOf,
  statementOf,
} from "../../orchestrator/worker/database/doctorChecks.ts";
import type { DoctorFinding } from "../../orchestrator/worker/domain/ports/doctorStore.ts";
import { mustRunWrangler } from "../local/wrangler.ts";
import { UsageError } from "../terminal/usageError.ts";

export type Examination = { organization: string; findings: DoctorFinding[] };

type Request = {
  /** Which database: `--local --persist-to DIR`, or `--remote`. */
  database: readonly string[];
  /** Undefined = all there are. */
  organization: string | undefined;
  nowMs: number;
};

/** Messages that do not say whose they are lie under this name. */
const nobody = "-";

/** Runs every check of the doctor for every organization. It reads and changes nothing. */
export async function examineDatabase(request: Request): Promise<Examination[]> {
  const examinations: Examination[] = [];
  for (const organization of await organizationsOf(request)) {
    const statements = doctorChecks.map((check) =>
      statementOf(check)
        .replaceAll("?1", quoted(organization))
        .replaceAll("?2", String(request.nowMs)),
    );
    const answers = await query<CheckRow>(request, statements);
    examinations.push({ organization, findings: findingsOf(answers) });
  }
  return examinations;
}

async function organizationsOf(request: Request): Promise<string[]> {
  const [rows = []] = await query<{ id: string }>(request, [
    "select id from organizations order by id",
  ]);
  const ids = rows.map(({ id }) => id);
  const { organization } = request;
  if (organization === undefined) return [...ids, nobody];
  if (ids.includes(organization)) return [organization];
  throw new UsageError(
    `there is no organization ${organization}; there ${ids.length === 0 ? "is none" : `are: ${ids.join(", ")}`}`,
  );
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

async function query<Row>({ database }: Request, statements: readonly string[]): Promise<Row[][]> {
  const command = ["d1", "execute", "switchyard", ...database, "--yes", "--json", "--command"];
  const printed = await mustRunWrangler("Reading the database", [
    ...command,
    statements.join(";\n"),
  ]);
  const results = JSON.parse(printed.slice(printed.indexOf("["))) as { results: Row[] }[];
  if (results.length !== statements.length)
    throw new Error(`${statements.length} statements had ${results.length} answers`);
  return results.map(({ results: rows }) => rows);
}
