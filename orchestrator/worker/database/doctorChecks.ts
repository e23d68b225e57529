import type { DoctorFinding, NotApplicable } from "../domain/ports/doctorStore.ts";
import { attemptChecks } from "./doctor/attemptChecks.ts";
import { auditChecks } from "./doctor/auditChecks.ts";
import type { Check } from "./doctor/check.ts";
import { deliveryChecks } from "./doctor/deliveryChecks.ts";
import { noticeChecks } from "./doctor/noticeChecks.ts";
import { revertChecks } from "./doctor/revertChecks.ts";
import { taskChecks } from "./doctor/taskChecks.ts";

/** The invariants as SQL: each check answers rows that must not be there. */
export const doctorChecks: readonly Check[] = [
  ...taskChecks,
  ...attemptChecks,
  ...deliveryChecks,
  ...revertChecks,
  ...noticeChecks,
  ...auditChecks,
];

export const maxExamples = 20;

/** The first rows of a check, each with the count of all. */
export const statementOf = ({ sql }: Check): string =>
  `select id, detail, count(*) over () as total from (${sql}) order by id limit ${maxExamples}`.replaceAll(
    /\s+/g,
    " ",
  );

export type CheckRow = { id: string; detail: string; total: number };

/** What the checks have found, from their answers in the same order. */
export const findingsOf = (answers: readonly (readonly CheckRow[])[]): DoctorFinding[] =>
  doctorChecks.flatMap(({ sql: _, ...check }, at) => {
    const rows = answers[at] ?? [];
    const [first] = rows;
    if (first === undefined) return [];
    return [
      { ...check, count: first.total, examples: rows.map(({ id, detail }) => ({ id, detail })) },
    ];
  });

/** What no row of the database can show. */
export const notApplicable: readonly NotApplicable[] = [
  { invariant: "I5", because: "There are no budgets yet, so no reservation can be compared." },
  {
    invariant: "I7",
    because: "A refused callback leaves no row; the tests send forged ones.",
  },
  {
    invariant: "I9",
    because: "The database knows no secret that a row could be searched for; tests plant canaries.",
  },
  {
    invariant: "I10",
    because: "What was answered to whom is in no row; the tests ask as another organization.",
  },
  {
    invariant: "I11",
    because: "Usage events are in the transcripts in R2, their totals alone are in the rows.",
  },
  {
    invariant: "I12",
    because:
      "MAX_LIVE_EXECUTIONS and MAX_LIVE_PER_ORGANIZATION are vars; the caps of projects and providers are checked.",
  },
  {
    invariant: "I14",
    because:
      "It is about what a redelivery would change; the simulation delivers everything twice.",
  },
];
