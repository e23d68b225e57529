import { doctorChecks, notApplicable } from "../../orchestrator/worker/database/doctorChecks.ts";
import { count, type Paint, painter, printable } from "../terminal/style.ts";
import type { Examination } from "./examineDatabase.ts";

/** What was found, as a person reads it. */
export function printExaminations(examinations: readonly Examination[]): void {
  const paint = painter(process.stdout);
  const broken = examinations.filter(({ findings }) => findings.length > 0);
  for (const examination of broken) printOne(examination, paint);
  const checks = `${count(doctorChecks.length, "check")} over ${count(examinations.length, "organization")}`;
  process.stdout.write(
    broken.length === 0
      ? `${paint("green", "✓")} nothing is broken: ${checks}\n`
      : `\n${paint("red", "✗")} ${count(broken.length, "organization has", "organizations have")} something broken: ${checks}\n`,
  );
  process.stdout.write(`\nWhat rows cannot show:\n`);
  for (const { invariant, because } of notApplicable)
    process.stdout.write(`  ${invariant.padEnd(4)} ${because}\n`);
}

function printOne({ organization, findings }: Examination, paint: Paint): void {
  const say = (line: string) => process.stdout.write(`${printable(line)}\n`);
  process.stdout.write(`${paint("bold", organization)}\n`);
  for (const { invariant, name, because, remedy, count: total, examples } of findings) {
    process.stdout.write(`\n  ${paint("red", "✗")} ${name} (${invariant}): ${total}\n`);
    say(`    ${because}`);
    say(`    What to do: ${remedy}`);
    for (const { id, detail } of examples) say(`      ${id}: ${detail}`);
    if (examples.length < total) say(`      … and ${total - examples.length} more`);
  }
}
