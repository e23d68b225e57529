/**
 * `npm run doctor`: holds the rows of a database against what must always be so. See `npm run doctor -- --help`.
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { examineDatabase } from "./doctor/examineDatabase.ts";
import { printExaminations } from "./doctor/report.ts";
import { localDatabase } from "./local/readDatabase.ts";
import { defaultStateFolder } from "./local/stateFolder.ts";
import { messageOf, UsageError } from "./terminal/usageError.ts";

const usage = `usage: npm run doctor [-- options]
  --state DIR            the database of npm start there (default: where npm start keeps it)
  --remote               the deployed database, through wrangler
  --organization org_x   this one alone; without it, all there are
  --json                 one JSON object
exit: 0 nothing is broken, 1 something is, 2 it could not be found out`;

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`doctor: ${messageOf(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}\n`);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const values = optionsOf();
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const examinations = await examineDatabase({
    database: values.remote ? ["--remote"] : await localDatabase(path.resolve(values.state)),
    organization: values.organization,
    nowMs: Date.now(),
  });
  const healthy = examinations.every(({ findings }) => findings.length === 0);
  if (values.json)
    process.stdout.write(`${JSON.stringify({ healthy, organizations: examinations })}\n`);
  else printExaminations(examinations);
  return healthy ? 0 : 1;
}

function optionsOf() {
  try {
    return parseArgs({
      options: {
        remote: { type: "boolean", default: false },
        state: { type: "string", default: defaultStateFolder },
        organization: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}
