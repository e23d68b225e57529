import { describe, expect, it } from "vitest";
import { judgeCallback, judgeEndpoint } from "../../orchestrator/worker/domain/addressPolicy.ts";
import {
  capacityDelayMs,
  maxNoticeAttempts,
  noticeDelayMs,
  resendDelayMs,
  retryDelayMs,
  tickDelayMs,
} from "../../orchestrator/worker/domain/backoff.ts";
import { commitMessage } from "../../orchestrator/worker/domain/commitMessage.ts";
import { planDispatch } from "../../orchestrator/worker/domain/dispatch.ts";
import { Secret } from "../../orchestrator/worker/domain/ports/secrets.ts";
import { judgeSource } from "../../orchestrator/worker/domain/sourcePolicy.ts";
import { taskMessageSchema } from "../../shared/contracts/queueMessages.ts";
import { isSafeBranchName } from "../../shared/contracts/source.ts";
import { aTask } from "../builders.ts";

describe("an address for callbacks", () => {
  it.each([
    "http://example.com/hook",
    "https://user:pw@example.com/",
    "https://example.com:8443/",
    "https://localhost/",
    "https://localhost./",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://10.0.0.8/",
    "https://169.254.169.254/latest/meta-data",
    "https://printer.local/",
    "https://vault.internal/",
    "https://host",
    "ftp://example.com/",
    "javascript:alert(1)",
    "not an address",
  ])("is not %s", (url) => {
    expect(judgeCallback(url, false).kind).toBe("refused");
  });

  it.each([
    "https://example.com/hook",
    "https://hooks.example.co.uk/a?b=c",
    "https://example.com./",
  ])("may be %s", (url) => {
    expect(judgeCallback(url, false).kind).toBe("allowed");
  });

  it("may be this machine in local mode", () => {
    expect(judgeCallback("http://127.0.0.1:9000/hook", true).kind).toBe("allowed");
    expect(judgeCallback("http://10.0.0.8/hook", true).kind).toBe("refused");
  });
});

describe("an endpoint of a model service", () => {
  it("must be in the list, as an origin", () => {
    const allowed = ["https://gateway.example.com"];
    expect(judgeEndpoint("https://gateway.example.com/v1", allowed, false).kind).toBe("allowed");
    expect(judgeEndpoint("https://gateway.example.com.evil.com", allowed, false).kind).toBe(
      "refused",
    );
    expect(judgeEndpoint("http://gateway.example.com", allowed, false).kind).toBe("refused");
    expect(judgeEndpoint("http://127.0.0.1:1", allowed, false).kind).toBe("refused");
    expect(judgeEndpoint("http://127.0.0.1:1", allowed, true).kind).toBe("allowed");
  });
});

describe("a local source", () => {
  const deployment = { localMode: true, localRoots: ["/repos/a"] };
  const judge = (path: string) => judgeSource({ kind: "local", path }, deployment).kind;

  it("lies in a root that was named at start", () => {
    expect(judge("/repos/a")).toBe("allowed");
    expect(judge("/repos/a/b")).toBe("allowed");
    for (const path of [
      "/repos/ab",
      "/repos",
      "/repos/a/../b",
      "/repos/a/./b",
      "repos/a",
      "/repos/a/\0",
    ])
      expect(judge(path)).toBe("refused");
  });

  it("is refused outside local mode", () => {
    const elsewhere = { localMode: false, localRoots: ["/repos/a"] };
    expect(judgeSource({ kind: "local", path: "/repos/a" }, elsewhere).kind).toBe("refused");
  });
});

describe("a branch name", () => {
  it.each(["main", "feature/login", "v1.2", "ümlaut", "a@b"])("may be %s", (name) => {
    expect(isSafeBranchName(name)).toBe(true);
  });
  it.each([
    "-x",
    "--upload-pack=x",
    "a..b",
    "../x",
    "/x",
    "x/",
    "a//b",
    ".x",
    "a/.x",
    "x.lock",
    "a b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "@",
    "a@{1}",
    "a\nb",
    "a\u0000b",
    "x.",
  ])("is not %j", (name) => {
    expect(isSafeBranchName(name)).toBe(false);
  });
});

describe("waiting times", () => {
  it("grow and have an end", () => {
    expect([1, 2, 3, 9].map(retryDelayMs)).toEqual([5_000, 20_000, 80_000, 900_000]);
    expect([0, 1, 99].map(capacityDelayMs)).toEqual([5_000, 10_000, 120_000]);
    expect([1, 2, 3, 99].map((sends) => resendDelayMs(600_000, sends))).toEqual([
      600_000, 1_200_000, 2_400_000, 86_400_000,
    ]);
    expect([1, 2, 99].map(tickDelayMs)).toEqual([1_000, 2_000, 60_000]);
    expect([1, 2, maxNoticeAttempts - 1].map(noticeDelayMs)).toEqual([5_000, 25_000, 3_125_000]);
  });
});

describe("looking at a task that a message points at", () => {
  const plan = (changes: object, execution: object | null = null, nowMs = 5_000) =>
    planDispatch(aTask(changes), execution as never, nowMs).kind;

  it("does what its state asks for", () => {
    expect(plan({})).toBe("route");
    expect(plan({ status: "running" })).toBe("leave");
    expect(plan({ status: "completed" })).toBe("leave");
    expect(plan({ status: "assigned" }, { status: "pending", fence: 1 })).toBe("start_again");
    expect(plan({ status: "assigned" }, { status: "starting", fence: 1 })).toBe("leave");
    expect(plan({ deadlineAtMs: 5_000 })).toBe("give_up");
  });

  it("leaves it while it waits for a time, but not while it waits for a slot", () => {
    expect(plan({ notBeforeMs: 6_000, notBeforeReason: "retry" })).toBe("leave");
    expect(plan({ notBeforeMs: 4_000, notBeforeReason: "retry" })).toBe("route");
    expect(plan({ notBeforeMs: 6_000, notBeforeReason: "no_capacity" })).toBe("route");
  });
});

describe("a queue message", () => {
  const ids = { version: 1, organization_id: "org_a", task_id: "task_1" };

  it("carries ids, and the plan's fields by name only", () => {
    expect(taskMessageSchema.safeParse(ids).success).toBe(true);
    const plan = { provider: "gemini", factory: "f", cli_command: "fix", env_vars: ["A_KEY"] };
    expect(taskMessageSchema.safeParse({ ...ids, ...plan }).success).toBe(true);
  });

  it("carries no value of a variable, no command line and nothing unknown", () => {
    for (const bad of [
      { env_vars: { A_KEY: "v" } },
      { env_vars: ["A_KEY=v"] },
      { cli_command: "gemini -p x" },
      { prompt: "x" },
      { version: 2 },
    ])
      expect(taskMessageSchema.safeParse({ ...ids, ...bad }).success).toBe(false);
  });
});

describe("a commit message", () => {
  const told = {
    taskId: "task_1",
    orderId: "ORD-1",
    executionId: "exec_1",
    patchSetId: "ps_1",
    agent: "gemini",
    model: "gemini-2.5-pro",
    audit: null,
  };

  it("says what was asked, in a line, and leads back to every record", () => {
    expect(commitMessage({ ...told, prompt: "\n  Fix the tests.\nAll of them." })).toBe(
      `Fix the tests.

Switchyard-Task: task_1
Switchyard-Order: ORD-1
Switchyard-Execution: exec_1
Switchyard-Patch-Set: ps_1
Switchyard-Agent: gemini (gemini-2.5-pro)
`,
    );
  });

  it("is cut at 72 characters and has no control characters", () => {
    const [subject = ""] = commitMessage({ ...told, prompt: `${"long ".repeat(40)}\u0007` }).split(
      "\n",
    );
    expect(subject.length).toBeLessThanOrEqual(72);
    expect(commitMessage({ ...told, prompt: "a\u0000b\u001b[31mc" })).toMatch(/^a b \[31mc\n/);
  });
});

describe("a secret", () => {
  it("cannot be printed by accident", () => {
    const secret = new Secret("sk-hidden");
    expect(`${secret} ${JSON.stringify({ secret })} ${Object.values(secret)}`).not.toContain(
      "hidden",
    );
    expect(secret.reveal()).toBe("sk-hidden");
  });
});
