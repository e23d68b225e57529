import { describe, expect, it } from "vitest";
import {
  executionStatuses,
  executionTransitions,
  finalTaskStatuses,
  isFinalTask,
  isSettledExecution,
  move,
  noticeStatuses,
  noticeTransitions,
  patchSetStatuses,
  patchSetTransitions,
  taskStatuses,
  taskTransitions,
} from "../../orchestrator/worker/domain/states.ts";

type Table = Record<string, { from: readonly string[]; to: string }>;

/** The table as a person reads it: from → event → to. A change of the design shows here. */
const reading = (table: Table) =>
  Object.entries(table).map(([event, { from, to }]) => `${from.join("|")} → ${event} → ${to}`);

const nouns: [string, readonly string[], Table][] = [
  ["task", taskStatuses, taskTransitions],
  ["execution", executionStatuses, executionTransitions],
  ["patch set", patchSetStatuses, patchSetTransitions],
  ["notice", noticeStatuses, noticeTransitions],
];

describe.each(nouns)("a %s", (_noun, statuses, table) => {
  it("moves by an event exactly where its table says so", () => {
    for (const status of statuses)
      for (const [event, { from, to }] of Object.entries(table)) {
        const expected = from.includes(status)
          ? { kind: "moved", to }
          : { kind: "refused", because: `${event} is not possible from ${status}` };
        expect(move(table, event, status)).toEqual(expected);
      }
  });

  it("names only states that exist", () => {
    for (const { from, to } of Object.values(table))
      for (const status of [...from, to]) expect(statuses).toContain(status);
  });

  it("can reach every state but its first", () => {
    const [first, ...others] = statuses;
    const reached = new Set(Object.values(table).map(({ to }) => to));
    for (const status of others) expect(reached).toContain(status);
    expect(first).toBeDefined();
  });
});

describe("a final task", () => {
  it.each(finalTaskStatuses)("that is %s stays so, whatever happens", (status) => {
    for (const event of Object.keys(taskTransitions))
      expect(move(taskTransitions as Table, event, status).kind).toBe("refused");
    expect(isFinalTask(status)).toBe(true);
  });

  it("is one of four", () => {
    expect(taskStatuses.filter(isFinalTask)).toEqual(finalTaskStatuses);
  });
});

describe("a settled execution", () => {
  it("stays so, whatever happens, unless it is suspended for a person", () => {
    const settled = executionStatuses.filter(isSettledExecution);
    for (const status of settled.filter((one) => one !== "suspended"))
      for (const event of Object.keys(executionTransitions))
        expect(move(executionTransitions as Table, event, status).kind).toBe("refused");
  });
});

describe("a cancel", () => {
  it("wins up to validating and is too late from delivering on", () => {
    const possible = taskStatuses.filter(
      (status) =>
        move(taskTransitions, "cancel_waiting", status).kind === "moved" ||
        move(taskTransitions, "cancel_confirmed", status).kind === "moved",
    );
    const tooLate = ["delivering", ...finalTaskStatuses];
    expect(possible).toEqual(taskStatuses.filter((status) => !tooLate.includes(status)));
  });
});

describe("the tables", () => {
  it("are these", () => {
    expect(reading(taskTransitions).slice(0, 10)).toEqual([
      "queued → claim → assigned",
      "assigned → start → running",
      "running → receive_patch → patching",
      "running → finish_without_patch → completed",
      "patching → begin_validation → validating",
      "validating → begin_delivery → delivering",
      "delivering → deliver → completed",
      "delivering → bring_onto → patching",
      "validating → find_applied → completed",
      "assigned|running → retry → queued",
    ]);
  });
});
