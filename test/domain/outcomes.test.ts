import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterRun } from "../../orchestrator/worker/domain/afterRun.ts";
import { judgeRun, type RunFacts } from "../../orchestrator/worker/domain/outcome.ts";
import { agentErrorKinds } from "../../shared/contracts/agentEvent.ts";
import { stopReasons } from "../../shared/contracts/runner.ts";
import { errorCodes } from "../../shared/errors.ts";

const good: RunFacts = {
  agent: "gemini",
  agentVersion: "1.0.0",
  stoppedBy: null,
  terminal: { ok: true, reason: "success", text: "Done." },
  exit: { exitCode: 0, signal: null },
  toolCalls: 3,
  deniedToolCalls: 0,
  error: null,
  fault: null,
  sessionId: null,
  usage: null,
  baseCommit: "b".repeat(40),
  treeId: "7".repeat(40),
  durationMs: 5,
};
const judge = (changes: Partial<RunFacts>, hasPatch = true) =>
  judgeRun({ ...good, ...changes }, hasPatch);

describe("a run", () => {
  it("with a patch and a good end is a patch", () => {
    expect(judge({})).toEqual({ kind: "patch", execution: "succeed" });
  });

  it("whose agent was sent away after its last word is judged by that word", () => {
    const exit = { exitCode: null, signal: "SIGTERM", dismissed: true };

    expect(judge({ exit })).toEqual({ kind: "patch", execution: "succeed" });
    expect(judge({ exit, terminal: null })).toMatchObject({ kind: "bad", code: "incomplete" });
    expect(judge({ exit, terminal: { ok: false, reason: "error", text: "No." } })).toMatchObject({
      kind: "bad",
      code: "agent_error",
    });
  });

  it("without a patch and with a good end has changed nothing", () => {
    expect(judge({}, false)).toEqual({ kind: "no_changes", execution: "succeed" });
  });

  it.each([
    [{ terminal: null }, "fail", "incomplete", false],
    [{ terminal: null, exit: { exitCode: null, signal: "SIGKILL" } }, "fail", "incomplete", true],
    [{ exit: { exitCode: null, signal: "SIGKILL" } }, "fail", "incomplete", true],
    [{ exit: { exitCode: 1, signal: null } }, "fail", "agent_error", false],
    [{ exit: null }, "fail", "agent_error", false],
    [{ terminal: { ok: false, reason: "x", text: "" } }, "fail", "agent_error", false],
    [{ stoppedBy: "cancel" }, "cancel", "cancelled", false],
    [{ stoppedBy: "wall_clock" }, "time_out", "timed_out", false],
    [{ stoppedBy: "silence" }, "time_out", "silent", false],
    [{ stoppedBy: "shutdown" }, "lose", "lost", true],
    [{ fault: { code: "source_unreadable", message: "" } }, "fail", "runner_fault", false],
    [{ fault: { code: "secret_in_patch", message: "" } }, "fail", "patch_rejected", false],
    [{ fault: { code: "internal", message: "" } }, "fail", "runner_fault", true],
    [
      { error: { kind: "rate_limit", status: 429, message: "" } },
      "fail",
      "provider_rate_limited",
      true,
    ],
    [{ error: { kind: "auth", status: 401, message: "" } }, "fail", "provider_auth", false],
  ] as const)("that ended with %j is %s, %s", (changes, execution, code, retry) => {
    expect(judge(changes)).toMatchObject({ kind: "bad", execution, code, retry });
  });

  it("whose edits were all denied has failed, though it exited well and said so", () => {
    expect(judge({ deniedToolCalls: 2 }, false)).toMatchObject({ kind: "bad", code: "denied" });
  });

  it("is a success only when nothing at all speaks against it", () => {
    const facts = fc.record({
      stoppedBy: fc.option(fc.constantFrom(...stopReasons)),
      terminal: fc.option(fc.record({ ok: fc.boolean(), reason: fc.string(), text: fc.string() })),
      exit: fc.option(
        fc.record({
          exitCode: fc.option(fc.integer({ min: 0, max: 255 })),
          signal: fc.option(fc.constantFrom("SIGKILL", "SIGTERM")),
        }),
      ),
      deniedToolCalls: fc.nat(3),
      error: fc.option(
        fc.record({
          kind: fc.constantFrom(...agentErrorKinds),
          status: fc.constant(null),
          message: fc.string(),
        }),
      ),
      fault: fc.option(fc.record({ code: fc.constantFrom(...errorCodes), message: fc.string() })),
    });
    fc.assert(
      fc.property(facts, fc.boolean(), (seen, hasPatch) => {
        const outcome = judge(seen, hasPatch);
        if (outcome.kind === "bad") return;
        expect(seen).toMatchObject({
          stoppedBy: null,
          terminal: { ok: true },
          exit: { exitCode: 0, signal: null },
          error: null,
          fault: null,
        });
        if (!hasPatch) expect(seen.deniedToolCalls).toBe(0);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("what follows from a run", () => {
  const task = {
    fence: 1,
    retries: 0,
    limits: { wallClockMs: 1, silenceMs: 1, maxAttempts: 2 },
    deadlineAtMs: 1_000_000,
    reverts: null,
  };
  const lost = judge({ stoppedBy: "shutdown" });

  it("is another attempt, while there are attempts left", () => {
    expect(afterRun(task, lost, 1_000)).toMatchObject({ taskEvent: "retry", notBeforeMs: 6_000 });
    expect(afterRun({ ...task, retries: 1 }, lost, 1_000)).toMatchObject({ taskEvent: "fail" });
  });

  it("is no further attempt after the task's deadline", () => {
    expect(afterRun({ ...task, deadlineAtMs: 2_000 }, lost, 1_000)).toMatchObject({
      taskEvent: "fail",
      outcome: { code: "lost" },
    });
  });

  it("waits for a provider that names a time, but a pause as short as a retry's is a retry", () => {
    const limited = (resetAtMs: number) =>
      judge({ error: { kind: "rate_limit", status: 429, message: "slow down", resetAtMs } });

    expect(afterRun(task, limited(60_000), 1_000)).toMatchObject({
      taskEvent: "park",
      notBeforeMs: 60_000,
    });
    expect(afterRun(task, limited(3_000), 1_000)).toMatchObject({ taskEvent: "retry" });
    expect(afterRun({ ...task, retries: 1 }, limited(3_000), 1_000).taskEvent).toBe("fail");
  });

  it("is the patch, the end without one, or the confirmed cancel", () => {
    expect(afterRun(task, judge({}), 1).taskEvent).toBe("receive_patch");
    expect(afterRun(task, judge({}, false), 1).taskEvent).toBe("finish_without_patch");
    expect(afterRun(task, judge({ stoppedBy: "cancel" }), 1).taskEvent).toBe("cancel_confirmed");
  });
});
