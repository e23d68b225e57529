import {
  type CheckRow,
  doctorChecks,
  findingsOf,
  statementOf,
} from "../../orchestrator/worker/database/doctorChecks.ts";
import type { DoctorFinding } from "../../orchestrator/worker/domain/ports/doctorStore.ts";
import { readDatabase, withValues } from "../local/readDatabase.ts";
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
      withValues(statementOf(check), [organization, request.nowMs]),
    );
    const answers = await readDatabase<CheckRow>(request.database, statements);
    examinations.push({ organization, findings: findingsOf(answers) });
  }
  return examinations;
}

async function organizationsOf(request: Request): Promise<string[]> {
  const [rows = []] = await readDatabase<{ id: string }>(request.database, [
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
