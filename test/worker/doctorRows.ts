import { env } from "cloudflare:workers";

/** Rows of a sound organization in every state that there is, written by hand: nothing moves them on. */
type Row = Record<string, string | number | null>;
type Insert = [table: string, row: Row];

const sha = (digit: string) => digit.repeat(40);
const dayMs = 86_400_000;

export async function writeSoundRows(organizationId: string): Promise<void> {
  const nowMs = Date.now();
  const inserts = [...places(nowMs), ...openTasks(nowMs), ...endedTasks(nowMs)];
  await env.DB.batch(inserts.map(([table, row]) => insert(organizationId, table, row)));
}

export function insert(organizationId: string, table: string, row: Row): D1PreparedStatement {
  const all = { organization_id: organizationId, ...row };
  const columns = Object.keys(all);
  return env.DB.prepare(
    `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
  ).bind(...Object.values(all));
}

const tables = [
  "dead_letters",
  "notices",
  "patch_sets",
  "ai_provider_executions",
  "ai_provider_configs",
  "idempotency_records",
  "tasks",
];

/** Nobody would ever end these tasks. */
export const forget = (organizationId: string) =>
  env.DB.batch(
    tables.map((table) =>
      env.DB.prepare(`delete from ${table} where organization_id = ?`).bind(organizationId),
    ),
  );

const places = (nowMs: number): Insert[] => [
  [
    "projects",
    {
      id: "proj_1",
      name: "sample",
      source: "{}",
      settings: JSON.stringify({ validation: [], maxLive: 5 }),
      created_by: "user:ada",
      created_at_ms: nowMs,
    },
  ],
  [
    "ai_provider_configs",
    {
      provider_name: "gemini",
      enabled: 1,
      rate_limits: JSON.stringify({ maxLive: 5 }),
      cost_per_token: "{}",
      updated_at_ms: 1,
    },
  ],
  [
    "idempotency_records",
    { key: "key-1", request_sha256: "", answer: "{}", expires_at_ms: nowMs - 60_000 },
  ],
];

const openTasks = (nowMs: number): Insert[] => {
  const asked = (kind: string) =>
    JSON.stringify({ kind, text: "Which?", sinceMs: nowMs, expiresAtMs: nowMs + dayMs });
  return [
    ...aTask(nowMs, "queued", { status: "queued" }),
    ...aTask(nowMs, "parked", { status: "parked", fence: 2, not_before_ms: nowMs + 60_000 }),
    ...aTask(nowMs, "running", { status: "running", fence: 1 }),
    anExecution(nowMs, "running", "running"),
    ...aTask(nowMs, "patching", { status: "patching", fence: 1 }),
    anExecution(nowMs, "patching", "succeeded"),
    aPatchSet(nowMs, "patching", "received"),
    ...aTask(nowMs, "question", {
      status: "waiting_input",
      fence: 1,
      waiting: asked("question"),
    }),
    anExecution(nowMs, "question", "suspended"),
    ...aTask(nowMs, "approval", {
      status: "waiting_input",
      fence: 1,
      waiting: asked("approval"),
    }),
    anExecution(nowMs, "approval", "succeeded"),
    aPatchSet(nowMs, "approval", "awaiting_approval"),
    ...aTask(nowMs, "parent", { status: "remediating", fence: 1 }),
    anExecution(nowMs, "parent", "succeeded"),
    aPatchSet(nowMs, "parent", "conflict"),
    ...aTask(nowMs, "child", { status: "queued", parent_id: "task_parent", depth: 1 }),
    ...aTask(nowMs, "replay", { status: "queued", replay_of: "task_replayed" }),
  ];
};

const endedTasks = (nowMs: number): Insert[] => {
  const ended = (name: string, status: string, outcome: string, changes: Row = {}): Insert[] => [
    ...aTask(nowMs, name, {
      status,
      fence: 1,
      outcome_code: outcome,
      sweep_at_ms: null,
      finished_at_ms: nowMs,
      ...changes,
    }),
    aNotice(nowMs, name, "inbox"),
  ];
  const letter = { because: "It was poison.", created_at_ms: nowMs };
  return [
    ...ended("delivered", "completed", "delivered", { callback_url: "https://example.com" }),
    aNotice(nowMs, "delivered", "callback"),
    anExecution(nowMs, "delivered", "succeeded"),
    aPatchSet(nowMs, "delivered", "delivered", delivered),
    ...ended("nothing", "completed", "no_changes"),
    anExecution(nowMs, "nothing", "succeeded"),
    ...ended("revert", "completed", "no_changes", { ...revert, order_id: "ORD-delivered" }),
    anExecution(nowMs, "revert", "succeeded", 1, "switchyard"),
    ...ended("failed", "failed", "agent_error"),
    anExecution(nowMs, "failed", "failed"),
    ...ended("cancelled", "cancelled", "cancelled"),
    anExecution(nowMs, "cancelled", "cancelled"),
    ...ended("dead", "escalated", "dead_letter", { fence: 0 }),
    [
      "dead_letters",
      { id: "dl_open", task_id: "task_dead", message_id: "m1", status: "open", ...letter },
    ],
    ...ended("replayed", "escalated", "dead_letter", { fence: 0 }),
    [
      "dead_letters",
      {
        id: "dl_replayed",
        task_id: "task_replayed",
        message_id: "m2",
        status: "replayed",
        replayed_as: "task_replay",
        ...letter,
      },
    ],
  ];
};

export const delivered: Row = {
  tree_id: sha("7"),
  commit_sha: sha("d"),
  validation: JSON.stringify({ status: "passed", commands: [] }),
};

const revert: Row = { kind: "revert", reverts: "ps_delivered_delivered" };

const aTask = (nowMs: number, name: string, changes: Row): Insert[] => [
  [
    "orders",
    {
      id: `ORD-${name}`,
      project_id: "proj_1",
      head_commit: name === "delivered" ? sha("d") : null,
      created_at_ms: nowMs,
      updated_at_ms: nowMs,
    },
  ],
  [
    "tasks",
    {
      id: `task_${name}`,
      project_id: "proj_1",
      order_id: name === "child" ? "ORD-parent" : `ORD-${name}`,
      type: "generate",
      kind: "code",
      prompt_text: "Rename add to sum.",
      source: "{}",
      allow_fallback: 0,
      limits: JSON.stringify({ wallClockMs: 60_000, silenceMs: 30_000, maxAttempts: 2 }),
      deadline_at_ms: nowMs + dayMs,
      sweep_at_ms: nowMs + 600_000,
      created_by: "user:ada",
      created_at_ms: nowMs,
      updated_at_ms: nowMs,
      ...changes,
    },
  ],
];

export const anExecution = (
  nowMs: number,
  name: string,
  status: string,
  fence = 1,
  provider = "gemini",
): Insert => [
  "ai_provider_executions",
  {
    task_uuid: `task_${name}`,
    fence,
    execution_id: `exec_${name}_${fence}`,
    project_id: "proj_1",
    provider_name: provider,
    status,
    input: "{}",
    created_at_ms: nowMs,
    settled_at_ms: status === "running" ? null : nowMs,
  },
];

export const aPatchSet = (
  nowMs: number,
  name: string,
  status: string,
  changes: Row = {},
): Insert => [
  "patch_sets",
  {
    task_id: `task_${name}`,
    id: `ps_${name}_${status}`,
    fence: 1,
    content_key: status,
    status,
    set_text: "{}",
    base_commit: sha("b"),
    files: 1,
    operations: 1,
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
    ...changes,
  },
];

export const aNotice = (nowMs: number, name: string, channel: string): Insert => [
  "notices",
  {
    id: `ntc_${name}_${channel}`,
    dedupe_key: `task_${name}.${channel}`,
    task_id: `task_${name}`,
    channel,
    status: "sent",
    body: "{}",
    created_at_ms: nowMs,
  },
];

export const aLine = { subject_id: "s", id: "l", actor: "a", action: "a", message: "m" };
/** Over lines that are not there. */
export const aSeal = {
  ...{ project_id: "", number: 1, first_seq: 1, last_seq: 9 },
  ...{ digests: "", hash: "", sealed_at_ms: 1 },
};
