import { describe, expect, it, onTestFinished } from "vitest";
import { agentRunKind } from "../../apps/agent-runner/agent-run/agentRunKind.ts";
import { createSessions } from "../../apps/agent-runner/agent-run/sessions.ts";
import type { LineAdapter } from "../../apps/agent-runner/agents/agentAdapter.ts";
import { gemini } from "../../apps/agent-runner/agents/gemini.ts";
import { openRunBook, type RunBook } from "../../apps/agent-runner/runs/runBook.ts";
import { type AgentEvent, numberedEventSchema } from "../../shared/contracts/agentEvent.ts";
import { type RunReport, type RunStatus, runReportSchema } from "../../shared/contracts/runner.ts";
import { ofType } from "./kit/fakeAcp.ts";
import { makeRepository, temporaryFolder } from "./kit/repositories.ts";
import { runRequest } from "./kit/scriptAgent.ts";
import { type Step, scriptedChild } from "./kit/scriptedChild.ts";

const lines = [
  { type: "init", session_id: "s-1", model: "m" },
  { type: "message", role: "assistant", content: "Done." },
  { type: "result", status: "success", stats: {} },
];
const outputsEnd: Step[] = [{ does: "end_output" }, { does: "end_errors" }];
const exits = (exitCode: number | null, signal: string | null): Step => ({
  does: "exit",
  exit: { exitCode, signal },
});
const script: Step[] = [
  { does: "start" },
  ...lines.map((line): Step => ({ does: "say", bytes: Buffer.from(`${JSON.stringify(line)}\n`) })),
  exits(0, null),
  ...outputsEnd,
];
const orders: Record<string, Step[]> = {
  "exits before its output ends": [exits(null, "SIGTERM"), ...outputsEnd],
  "exits after its output ended": [...outputsEnd, exits(null, "SIGTERM")],
};

type Moment = (name: string) => void;

/** Gemini, as a child that takes its steps by itself; every stage of a run has its moment. */
const talkative = (ending: Step[], moment: Moment) => {
  const adapter: LineAdapter = {
    ...gemini,
    seedHome: async () => moment("home"),
    command: () => {
      moment("command");
      return { argv: ["gemini"], env: {}, stdin: "go" };
    },
    createParser: (asked) => {
      moment("parser");
      return gemini.createParser(asked);
    },
  };
  const startProcess = () => {
    moment("process");
    const child = scriptedChild(script, ending);
    void (async () => {
      while (await child.step());
    })();
    return child.process;
  };
  return { adapter, startProcess };
};

type Played = { events: AgentEvent[]; report: RunReport; moments: string[]; ends: number };

/** Plays a whole run, with a cancel at its nth moment and another one behind it. */
async function playCancelledAt(repository: string, ending: Step[], nth: number): Promise<Played> {
  const moments: string[] = [];
  let ends = 0;
  let book: RunBook<Parameters<typeof kind.work>[1]> | null = null;
  const moment: Moment = (name) => {
    if (moments.push(name) - 1 !== nth) return;
    book?.cancel("exec_1", 1, "cancel");
    book?.cancel("exec_1", 1, "wall_clock");
  };
  const { adapter, startProcess } = talkative(ending, moment);
  const root = temporaryFolder("runs");
  const kind = agentRunKind({
    agents: { gemini: adapter },
    agentsDirectory: root,
    roots: [repository],
    bundles: root,
    runnerId: "runner_1",
    sessions: createSessions(temporaryFolder("sessions")),
    runnerSecrets: [],
    keepWorkspaces: false,
    user: null,
    work: null,
    startProcess,
    nowMs: () => 1,
  });
  const finished = Promise.withResolvers<void>();
  book = await openRunBook(
    { root, nowMs: () => 1, log: () => {}, boot: "boot_1" },
    {
      ...kind,
      work: async (live, accepted) => {
        moment("begin");
        const append = async (event: AgentEvent) => {
          moment(`before ${event.type}`);
          await live.log.append(event);
        };
        const report = await kind.work({ ...live, log: { ...live.log, append } }, accepted);
        moment("report");
        return report;
      },
      finished: () => {
        ends += 1;
        finished.resolve();
      },
    },
  );
  onTestFinished(() => book?.close());
  const found = { kind: "installed" as const, version: "0.61.0", program: ["gemini"] };
  await book.put("exec_1", 1, {
    request: runRequest(repository, { agent: "gemini" }),
    adapter,
    found,
  });
  await finished.promise;
  const { log } = book.events("exec_1");
  const text = (await log.read(0, 1e6)).lines.toString().trimEnd();
  const events = text.split("\n").map((line) => numberedEventSchema.parse(JSON.parse(line)).event);
  const result: RunStatus & { report: unknown } = await book.result("exec_1");
  expect(result.state).toBe("finished");
  return { events, report: runReportSchema.parse(result.report), moments, ends };
}

/** However it was cancelled, and whether that came in time to stop it. */
function expectOneEnd({ events, report, ends }: Played, stoppedBy: "cancel" | null): void {
  expect(report).toMatchObject({ stoppedBy, fault: null, patch: null });
  expect(ends).toBe(1);
  expect(ofType(events, "result").length).toBe(Number(report.terminal !== null));
  expect(ofType(events, "agent_exited").length).toBe(Number(report.exit !== null));
  expect(events.filter(({ type }) => type === "interrupted")).toEqual(
    stoppedBy === null ? [] : [{ type: "interrupted", reason: stoppedBy }],
  );
  expect(events.at(-1)?.type).toBe(stoppedBy === null ? "diff" : "interrupted");
}

const atOnce = 3;

describe.each(Object.keys(orders))("a run whose agent %s", (order) => {
  const ending = orders[order] ?? [];

  it("has one end, told once, wherever it is cancelled", async () => {
    const repository = makeRepository({ "a.txt": "one\n" });
    const whole = await playCancelledAt(repository, ending, -1);
    expectOneEnd(whole, null);
    expect(whole.moments.length).toBeGreaterThan(12);

    const nths = [...whole.moments.keys()];
    while (nths.length > 0)
      await Promise.all(
        nths.splice(0, atOnce).map(async (nth) => {
          const isTooLate = whole.moments[nth] === "report";
          const played = await playCancelledAt(repository, ending, nth);
          expectOneEnd(played, isTooLate ? null : "cancel");
        }),
      );
  });
});
