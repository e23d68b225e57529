import { aLine, aNotice, anExecution, aPatchSet, aSeal, delivered } from "./doctorRows.ts";

const at = Date.now();
const change = (table: string, columns: string, where: string) =>
  `update ${table} set ${columns} where organization_id = ?1 and ${where}`;
const task = (name: string, columns: string) => change("tasks", columns, `id = 'task_${name}'`);
const execution = (name: string, columns: string) =>
  change("ai_provider_executions", columns, `task_uuid = 'task_${name}'`);
const patchOf = (name: string, columns: string) =>
  change("patch_sets", columns, `task_id = 'task_${name}'`);
const order = (name: string, columns: string) => change("orders", columns, `id = 'ORD-${name}'`);
const remove = (table: string, id: string) =>
  `delete from ${table} where organization_id = ?1 and id = '${id}'`;
const endAs = (code: string) =>
  `status = 'failed', outcome_code = '${code}', finished_at_ms = 1, sweep_at_ms = null`;
const otherSha = "e".repeat(40);
const letter = { task_id: "task_queued", message_id: "m9", because: "", created_at_ms: 1 };

/** How each kind of damage is done by hand, and the id that is to be named. */
type Damage = string | ReturnType<typeof aNotice>;
export const damages: [check: string, id: string, ...Damage[]][] = [
  ["task_never_looked_at", "task_queued", task("queued", "sweep_at_ms = null")],
  ["task_past_its_time", "task_queued", task("queued", "deadline_at_ms = 1")],
  ["task_past_its_time", "task_parked", task("parked", "not_before_ms = 1")],
  [
    "task_past_its_time",
    "task_question",
    task("question", "waiting = json_set(waiting, '$.expiresAtMs', 1)"),
  ],
  ["look_overdue", "task_running", task("running", "sweep_at_ms = 1")],
  ["task_works_for_ever", "task_running", task("running", "deadline_at_ms = 1, updated_at_ms = 1")],
  ["task_without_work", "task_running", execution("running", "status = 'lost', settled_at_ms = 1")],
  ["task_without_work", "task_patching", patchOf("patching", "status = 'failed'")],
  ["parent_without_child", "task_parent", remove("tasks", "task_child")],
  ["parent_of_ended_child", "task_parent", task("child", endAs("agent_error"))],
  [
    "child_without_parent",
    "task_child",
    task("parent", endAs("conflict")),
    aNotice(at, "parent", "inbox"),
  ],
  ["cancel_not_heard", "task_running", task("running", "cancel_requested_at_ms = 1")],
  ["end_half_written", "task_failed", task("failed", "finished_at_ms = null")],
  ["end_half_written", "task_failed", task("failed", "sweep_at_ms = 1")],
  ["end_half_written", "task_failed", task("failed", "outcome_code = null")],
  ["end_half_written", "task_queued", task("queued", "finished_at_ms = 1")],
  ["tried_too_often", "task_queued", task("queued", "retries = 2")],
  ["tried_too_often", "task_child", task("child", "depth = 4")],
  [
    "two_live_executions",
    "task_running",
    task("running", "fence = 2"),
    anExecution(at, "running", "running", 2),
  ],
  [
    "live_execution_of_final_task",
    "task_failed",
    execution("failed", "status = 'running', settled_at_ms = null"),
  ],
  [
    "live_execution_out_of_step",
    "task_patching",
    execution("patching", "status = 'running', settled_at_ms = null"),
  ],
  ["live_execution_out_of_step", "task_parked", anExecution(at, "parked", "running", 1)],
  ["execution_above_fence", "task_failed", anExecution(at, "failed", "failed", 9)],
  [
    "project_above_cap",
    "proj_1",
    change("projects", "settings = json_set(settings, '$.maxLive', 0)", "1"),
  ],
  [
    "provider_above_cap",
    "gemini",
    change("ai_provider_configs", "rate_limits = json_set(rate_limits, '$.maxLive', 0)", "1"),
  ],
  ["execution_half_settled", "exec_cancelled_1", execution("cancelled", "status = 'running'")],
  ["suspended_without_question", "task_failed", execution("failed", "status = 'suspended'")],
  ["waits_for_nothing", "task_question", execution("question", "status = 'failed'")],
  ["waits_for_nothing", "task_question", task("question", "waiting = null")],
  ["waits_for_nothing", "task_approval", patchOf("approval", "status = 'failed'")],
  ["delivered_unverified", "task_delivered", patchOf("delivered", "tree_id = null")],
  ["delivered_unverified", "task_delivered", patchOf("delivered", "validation = null")],
  [
    "delivered_unverified",
    "task_delivered",
    patchOf("delivered", "validation = json_set(validation, '$.status', 'failed')"),
  ],
  [
    "delivered_unapproved",
    "task_delivered",
    patchOf("delivered", "approval_reasons = '[]', approved_binding = 'another'"),
  ],
  ["delivered_unapproved", "task_delivered", patchOf("delivered", "approval_reasons = '[]'")],
  [
    "delivered_twice",
    "task_delivered",
    aPatchSet(at, "delivered", "delivered", { ...delivered, id: "ps_2", content_key: "2" }),
  ],
  [
    "delivery_half_written",
    "task_delivered",
    patchOf("delivered", "status = 'delivering'"),
    order("delivered", "head_commit = null"),
    task("revert", "kind = 'code', reverts = null"),
  ],
  [
    "delivery_half_written",
    "task_failed",
    aPatchSet(at, "failed", "delivered", delivered),
    order("failed", `head_commit = '${"d".repeat(40)}'`),
  ],
  ["patch_set_left_open", "task_failed", aPatchSet(at, "failed", "received")],
  ["patch_set_left_open", "task_parked", aPatchSet(at, "parked", "validating")],
  ["head_is_no_delivery", "ORD-delivered", order("delivered", `head_commit = '${otherSha}'`)],
  ["head_is_no_delivery", "ORD-delivered", order("delivered", "head_commit = null")],
  ["head_is_no_delivery", "ORD-queued", order("queued", `head_commit = '${otherSha}'`)],
  ["completed_without_work", "task_nothing", execution("nothing", "status = 'failed'")],
  ["completed_without_work", "task_nothing", task("nothing", "outcome_code = 'delivered'")],
  ["patch_set_above_fence", "task_failed", aPatchSet(at, "failed", "rejected", { fence: 9 })],
  ["approval_not_asked_for", "task_failed", aPatchSet(at, "failed", "awaiting_approval")],
  ["order_held_twice", "ORD-patching", task("running", "order_id = 'ORD-patching'")],
  ["order_held_twice", "ORD-parent", task("running", "order_id = 'ORD-parent'")],
  ["revert_of_no_delivery", "task_revert", task("revert", "reverts = 'ps_gone'")],
  ["revert_of_no_delivery", "task_revert", task("revert", "reverts = 'ps_parent_conflict'")],
  ["revert_of_no_delivery", "task_revert", task("revert", "order_id = 'ORD-queued'")],
  ["revert_half_written", "task_revert", task("revert", "kind = 'code'")],
  ["revert_half_written", "task_nothing", task("nothing", "kind = 'revert'")],
  ["revert_by_an_agent", "task_revert", execution("revert", "provider_name = 'gemini'")],
  ["end_not_told_once", "task_failed", remove("notices", "ntc_failed_inbox")],
  ["end_not_told_once", "task_delivered", remove("notices", "ntc_delivered_callback")],
  ["end_not_told_once", "task_failed", aNotice(at, "failed", "callback")],
  ["told_without_end", "ntc_running_inbox", aNotice(at, "running", "inbox")],
  ["told_without_end", "ntc_gone_inbox", aNotice(at, "gone", "inbox")],
  ["told_without_end", "ntc_child_inbox", aNotice(at, "child", "inbox")],
  [
    "notice_not_sent",
    "ntc_delivered_callback",
    change("notices", "status = 'pending', next_attempt_at_ms = 1", "channel = 'callback'"),
  ],
  [
    "notice_not_sent",
    "ntc_delivered_callback",
    change("notices", "status = 'pending'", "channel = 'callback'"),
  ],
  ["dead_letter_not_told", "dl_9", ["dead_letters", { id: "dl_9", status: "open", ...letter }]],
  ["dead_letter_not_told", "dl_open", task("dead", "outcome_code = 'no_provider'")],
  ["replayed_twice", "task_replayed", task("queued", "replay_of = 'task_replayed'")],
  [
    "replay_missing",
    "dl_replayed",
    change("dead_letters", "replayed_as = 'task_gone'", "id = 'dl_replayed'"),
  ],
  ["key_kept_too_long", "key-1", change("idempotency_records", "expires_at_ms = 1", "1")],
  [
    "lines_not_sealed",
    "proj_1 line 1",
    ["operation_logs", { ...aLine, project_id: "proj_1", seq: 1, at_ms: at - 121_000 }],
  ],
  ["sealed_lines_missing", "of no project seal 1", ["operation_log_seals", aSeal]],
];
