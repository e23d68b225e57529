import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { AuditStore } from "../../orchestrator/worker/domain/ports/auditStore.ts";
import type { DeadLetterStore } from "../../orchestrator/worker/domain/ports/deadLetterStore.ts";
import type { ExecutionStore } from "../../orchestrator/worker/domain/ports/executionStore.ts";
import type { IdentityStore } from "../../orchestrator/worker/domain/ports/identityStore.ts";
import type { NoticeStore } from "../../orchestrator/worker/domain/ports/noticeStore.ts";
import type { PatchSetStore } from "../../orchestrator/worker/domain/ports/patchSetStore.ts";
import type { ProjectStore } from "../../orchestrator/worker/domain/ports/projectStore.ts";
import type { ProviderConfigStore } from "../../orchestrator/worker/domain/ports/providerConfigStore.ts";
import type { TaskStore } from "../../orchestrator/worker/domain/ports/taskStore.ts";
import { aClaim, aLogEntry, aNewTask, aNotice, aProject, aSettlement, aTask } from "../builders.ts";
import { collectPlans } from "./queryPlans.ts";

type Calls<Store> = {
  [Method in keyof Store]: Store[Method] extends (...input: infer Input) => unknown ? Input : never;
};

const task = aTask({ callbackUrl: "https://example.com/hook" });
const ref = { organizationId: "org_a", taskId: "task_1" };
const chain = { organizationId: "org_a", projectId: "proj_1" };
const attempt = { ...ref, fence: 1 };
const patchRef = { ...attempt, patchSetId: "ps_1" };
const log = aLogEntry();
const sha = "d".repeat(40);
const outcome = { code: "delivered", message: "" } as const;
const notices = [aNotice(task)];
const waiting = { kind: "question", text: "", sinceMs: 1, expiresAtMs: 2 } as const;
const validation = { status: "none" as const, commands: [] };

/** One call of every method: a method that is added and not called here does not compile. */
const approved = { contentKey: "", baseCommit: sha, ontoCommit: sha, treeId: sha };
const calls = {
  tasks: {
    forgetExpiredKeys: [1, 100],
    liveCounts: [{ organizationId: "org_a", projectId: "proj_1", provider: "gemini" }],
    orderIsBusy: [task],
    nextOfOrder: [{ organizationId: "org_a", projectId: "proj_1", orderId: "ORD-1" }],
    park: [ref, { fence: 0, untilMs: 1, reason: "quota", nowMs: 1, log }],
    unpark: [ref, { fence: 0, nowMs: 1, sweepAtMs: 1, log }],
    answer: [
      ref,
      {
        fence: 1,
        resume: { sessionId: null, answer: "" },
        deadlineAtMs: 1,
        nowMs: 1,
        sweepAtMs: 1,
        log,
      },
    ],
    findChild: [ref],
    endParent: [ref, { event: "adopt_child", outcome, notices, nowMs: 1, log }],
    findForAccept: ["org_a", "proj_1", "key"],
    accept: [
      aNewTask(task, {
        idempotency: { key: "k", requestSha256: "r", answer: "{}", expiresAtMs: 1 },
      }),
    ],
    find: [ref],
    findContext: [ref],
    findStory: [ref],
    list: [{ organizationId: "org_a", status: "queued", projectId: "p", before: "t", limit: 9 }],
    claim: [aClaim(task)],
    delay: [ref, { fence: 0, untilMs: 1, reason: "no_capacity", nowMs: 1 }],
    prefer: [ref, "gemini", 1, log],
    endWaiting: [ref, { event: "escalate", outcome, notices, nowMs: 1, log }],
    requestCancel: [ref, 1, log],
    dueForSweep: [1, 500],
    postponeSweep: [ref, 1, 1],
    nextWaiting: [1, 1, { organizationId: "org_a", projectId: "proj_1" }],
  } satisfies Calls<TaskStore>,
  executions: {
    findBrief: [attempt],
    findWish: [attempt],
    enterStarting: [attempt, 1],
    markRunning: [attempt, 1, log],
    settle: [aSettlement(task, { notices })],
    countLive: ["org_1", "gemini"],
  } satisfies Calls<ExecutionStore>,
  patchSets: {
    beginValidation: [patchRef, { treeId: sha, nowMs: 1, log }],
    beginDelivery: [
      patchRef,
      { commitSha: sha, committed: approved, needsApproval: true, validation, nowMs: 1, log },
    ],
    deliver: [
      patchRef,
      {
        projectId: "proj_1",
        orderId: "ORD-1",
        commitSha: sha,
        outcome,
        notices,
        nowMs: 1,
        log,
      },
    ],
    bringOnto: [
      patchRef,
      { projectId: "proj_1", orderId: "ORD-1", from: sha, to: sha, nowMs: 1, log },
    ],
    findApplied: [patchRef, { validation, outcome, notices, nowMs: 1, log }],
    awaitApproval: [patchRef, { reasons: [], validation, waiting, nowMs: 1, log }],
    approve: [patchRef, { by: "user:ada", approved, nowMs: 1, sweepAtMs: 1, log }],
    find: ["org_a", "ps_1"],
    list: [{ organizationId: "org_a", status: "awaiting_approval", before: "ps_2", limit: 9 }],
    end: [
      patchRef,
      {
        patchEvent: "reject",
        taskEvent: "remediate",
        child: aNewTask(aTask({ id: "task_2", parentId: "task_1" })),
        faults: [],
        validation,
        outcome,
        notices,
        nowMs: 1,
        log,
      },
    ],
  } satisfies Calls<PatchSetStore>,
  deadLetters: {
    record: [
      {
        ...ref,
        id: "dead_1",
        messageId: "message-1",
        status: "open",
        because: "",
        replayedAs: null,
        replayedBy: null,
        createdAtMs: 1,
      },
      { end: { attempt, outcome, notices }, nowMs: 1, log },
    ],
    find: ["org_a", "dead_1"],
    findByMessage: ["org_a", "message-1"],
    list: [{ organizationId: "org_a", status: "open", before: "dead_2", limit: 9 }],
    replay: ["org_a", "dead_1", { task: aNewTask(task), by: "user:ada", nowMs: 1, log }],
  } satisfies Calls<DeadLetterStore>,
  projects: {
    create: [aProject(), log],
    find: ["org_a", "proj_1"],
    list: ["org_a", "proj_9", 10],
  } satisfies Calls<ProjectStore>,
  identities: {
    findPrincipal: ["s", 1],
    createToken: [
      {
        id: "tok_1",
        sha256: "s",
        principal: { id: "user:ada", organizationId: "org_a", role: "admin" },
        expiresAtMs: null,
        nowMs: 1,
        log,
      },
    ],
    organizationExists: ["org_a"],
  } satisfies Calls<IdentityStore>,
  providerConfigs: {
    all: ["org_a"],
    put: [
      "org_a",
      "gemini",
      { enabled: true, apiEndpoint: null, defaultModel: null, rateLimits: {}, costPerToken: {} },
      1,
      log,
    ],
  } satisfies Calls<ProviderConfigStore>,
  notices: {
    due: [1, 100],
    markSent: ["org_a", "ntc_1", 1],
    postpone: ["org_a", "ntc_1", 1, 2],
    inbox: ["org_a", "ntc_0", 50],
  } satisfies Calls<NoticeStore>,
  audit: {
    chains: [{ organizationId: "org_a", projectId: "proj_1" }, 500],
    chainsOf: ["org_a"],
    seals: [chain, 0, 8],
    linesBetween: [chain, 1, 9],
    linesAfter: [chain, 0, 256],
    strays: ["org_a"],
    appendSeal: [
      { ...chain, number: 1, firstSeq: 1, lastSeq: 1, digests: "d", hash: "h", sealedAtMs: 1 },
      "",
    ],
    noteAnchor: [chain, "2026-11-21", { number: 1, hash: "h" }],
  } satisfies Calls<AuditStore>,
};

describe("every query of the stores", () => {
  it("searches an index and scans no table", async () => {
    const plans = await collectPlans(calls);

    expect(plans.length).toBeGreaterThan(70);
    expect(
      plans.filter(({ detail }) =>
        /^SCAN (?!CONSTANT ROW|waiting\b|w\b|chain\b|sealed\b)/.test(detail),
      ),
    ).toEqual([]);
  });

  it("reads no organization's whole history to find the few rows that are at work", async () => {
    const plans = await collectPlans(calls);

    const walks =
      /^SEARCH (tasks|others|t|ai_provider_executions|patch_sets|operation_logs|[lpuo])\b.*PRIMARY KEY \(organization_id=\?\)/;
    expect(plans.filter(({ detail }) => walks.test(detail))).toEqual([]);
  });

  it("would be caught if it scanned", async () => {
    const plan = await env.DB.prepare(
      "explain query plan select * from tasks where prompt_text = ?",
    )
      .bind("x")
      .all<{ detail: string }>();
    expect(plan.results.map(({ detail }) => detail)).toEqual(["SCAN tasks"]);
  });
});

describe("the tables", () => {
  it("have no hidden row number beside a text key", async () => {
    const { results } = await env.DB.prepare(
      "select name, sql from sqlite_master where type = 'table' and sql like '%text%primary key%'",
    ).all<{ name: string; sql: string }>();
    const ours = results.filter(({ name }) => !name.startsWith("d1_") && !name.startsWith("_cf"));

    expect(ours.length).toBeGreaterThanOrEqual(13);
    expect(ours.filter(({ sql }) => !/WITHOUT ROWID\s*$/i.test(sql))).toEqual([]);
  });

  const line = (verb: string, id: string, project: string | null, seq: number) =>
    `${verb} into operation_logs values ('o','s','${id}',${project},'a','a','m',null,1,${seq})`;
  const seal = (verb: string) =>
    `${verb} into operation_log_seals values ('o','p',1,1,1,'d','h',1)`;

  it.each([
    "update operation_logs set message = 'other'",
    "delete from operation_logs",
    line("insert or replace", "l", "'p'", 2),
    line("insert or replace", "m", "'p'", 1),
    line("insert", "n", "null", 1),
    line("insert", "n", "'p'", 0),
    "update operation_log_seals set hash = 'other'",
    "delete from operation_log_seals",
    seal("insert or replace"),
  ])("keep the audit trail as it was written: %s", async (statement) => {
    await env.DB.batch([
      env.DB.prepare(line("insert or ignore", "l", "'p'", 1)),
      env.DB.prepare(seal("insert or ignore")),
    ]).catch(() => "there already");

    await expect(env.DB.prepare(statement).run()).rejects.toThrow("append-only");
  });
});

describe("the migrations", () => {
  it("drop and rebuild no table: rows of other tables would go with it", () => {
    expect(env.TEST_MIGRATIONS.length).toBeGreaterThan(0);
    for (const { name, queries } of env.TEST_MIGRATIONS)
      for (const query of queries)
        expect(`${name}: ${query}`).not.toMatch(/drop\s+table|rename\s+to|on\s+delete\s+cascade/i);
  });
});
