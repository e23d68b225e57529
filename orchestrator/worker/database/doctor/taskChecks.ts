import { maxRemediationDepth } from "../../domain/limits.ts";
import { isFinalTask, isWaitingTask, taskStatuses } from "../../domain/states.ts";
import { type Check, dayMs, final, hourMs, listed, live, time } from "./check.ts";

const working = listed(
  taskStatuses.filter((status) => !isFinalTask(status) && !isWaitingTask(status)),
);

/** When the wait of a task is over by itself. */
const expiry = `case t.status when 'queued' then t.deadline_at_ms when 'parked' then t.not_before_ms
  when 'waiting_input' then json_extract(t.waiting, '$.expiresAtMs') end`;
const isLate = `coalesce(${expiry} < ?2 - ${hourMs}, 0)`;
const lookForward =
  "Set its sweep_at_ms to 1 and the next tick looks at it, or cancel it: POST /api/v1/tasks/ID/cancel.";
const tickIsMissing =
  "Look whether the cron tick comes: a deployment that is stopped has none until it is started, and one that runs logs tick.part_failed.";

/** I1: every task comes to an end, and what moves it on is there. */
export const taskChecks: readonly Check[] = [
  {
    invariant: "I1",
    name: "task_never_looked_at",
    sql: `select t.id, t.status || ' since ' || ${time("t.updated_at_ms")} as detail from tasks t
      where t.organization_id = ?1 and t.status not in (${final}) and t.sweep_at_ms is null`,
    because: "The task is not over, and no time is set at which the sweep looks at it.",
    remedy: lookForward,
  },
  {
    invariant: "I1",
    name: "task_past_its_time",
    sql: `select t.id, t.status || ' until ' || ${time(expiry)} || ', next look ' || ${time("t.sweep_at_ms")} as detail
      from tasks t where t.organization_id = ?1 and ${isLate}`,
    because: "Its wait was over more than an hour ago, and nobody has moved it on.",
    remedy: `${tickIsMissing} ${lookForward}`,
  },
  {
    invariant: "I1",
    name: "look_overdue",
    sql: `select t.id, t.status || ', look due ' || ${time("t.sweep_at_ms")} as detail from tasks t
      where t.organization_id = ?1 and t.status not in (${final})
        and t.sweep_at_ms < ?2 - ${hourMs} and not ${isLate}`,
    because: "The sweep should have looked at the task more than an hour ago.",
    remedy: tickIsMissing,
  },
  {
    invariant: "I1",
    name: "task_works_for_ever",
    sql: `select t.id, t.status || ' since ' || ${time("t.updated_at_ms")} as detail from tasks t
      where t.organization_id = ?1 and t.status in (${working})
        and max(t.deadline_at_ms, t.updated_at_ms) + json_extract(t.limits, '$.wallClockMs') + ${2 * dayMs} < ?2`,
    because: "Its deadline and the time of a run are over since two days, and it has not ended.",
    remedy:
      "Look at the log for supervisor.step_failed of this task: what it names keeps the task from its end. Then cancel it.",
  },
  {
    invariant: "I1",
    name: "task_without_work",
    sql: `select t.id, t.status || ', fence ' || t.fence as detail from tasks t
      where t.organization_id = ?1 and (
        t.status in ('assigned', 'running') and not exists (
          select 1 from ai_provider_executions e where e.organization_id = t.organization_id
            and e.task_uuid = t.id and e.fence = t.fence and ${live})
        or t.status in ('patching', 'validating', 'delivering') and not exists (
          select 1 from patch_sets p where p.organization_id = t.organization_id
            and p.task_id = t.id and p.fence = t.fence
            and p.status = case t.status when 'patching' then 'received' else t.status end))`,
    because:
      "The task says that it is worked on, and there is no attempt or patch set in that state.",
    remedy:
      "Read its log (GET /api/v1/tasks/ID), then cancel it and hand it over again. If the row was changed by hand, set it back.",
  },
  {
    invariant: "I1",
    name: "parent_without_child",
    sql: `select t.id, 'remediating since ' || ${time("t.updated_at_ms")} as detail from tasks t
      where t.organization_id = ?1 and t.status = 'remediating' and not exists (
        select 1 from tasks c where c.organization_id = t.organization_id and c.parent_id = t.id)`,
    because: "It waits for a task that puts it right, and there is none.",
    remedy:
      "Nothing will move it on: end it by hand as escalated, with its inbox notice, and hand the work over again.",
  },
  {
    invariant: "I1",
    name: "parent_of_ended_child",
    sql: `select t.id, c.id || ' is ' || c.status || ' since ' || ${time("c.finished_at_ms")} as detail
      from tasks t join tasks c on c.organization_id = t.organization_id and c.id = (
        select max(n.id) from tasks n where n.organization_id = t.organization_id and n.parent_id = t.id)
      where t.organization_id = ?1 and t.status = 'remediating' and c.status in (${final})
        and c.finished_at_ms < ?2 - ${hourMs}`,
    because:
      "Its child ended more than an hour ago, and it has not taken over what the child came to.",
    remedy: `${tickIsMissing} ${lookForward}`,
  },
  {
    invariant: "I1",
    name: "child_without_parent",
    sql: `select c.id, c.status || ', its parent ' || c.parent_id || ' is ' || coalesce(t.status, 'not there') as detail
      from tasks c left join tasks t on t.organization_id = c.organization_id and t.id = c.parent_id
      where c.organization_id = ?1 and c.parent_id is not null and c.status not in (${final})
        and t.status is not 'remediating'`,
    because: "It puts right a task that does not wait for it any more.",
    remedy:
      "Cancel the child: what it makes would be delivered without anybody having asked for it.",
  },
  {
    invariant: "cancel",
    name: "cancel_not_heard",
    sql: `select t.id, t.status || ', asked ' || ${time("t.cancel_requested_at_ms")} as detail from tasks t
      where t.organization_id = ?1 and t.status not in (${final})
        and t.cancel_requested_at_ms < ?2 - ${hourMs}`,
    because: "A person asked to cancel the task more than an hour ago, and it has not ended.",
    remedy:
      "Look whether its runner is there (GET /api/v1/providers) and whether supervisor.step_failed is logged for it.",
  },
  {
    invariant: "final",
    name: "end_half_written",
    sql: `select t.id, t.status || ', finished ' || ${time("t.finished_at_ms")} || ', ' || coalesce(t.outcome_code, 'no outcome') as detail
      from tasks t where t.organization_id = ?1 and (
        t.status in (${final}) <> (t.finished_at_ms is not null)
        or t.status in (${final}) and (t.outcome_code is null or t.sweep_at_ms is not null or t.waiting is not null))`,
    because:
      "A task's end is its status, its time and its outcome together; here one of them is missing.",
    remedy:
      "Set finished_at_ms and the outcome of a task that is over, and its sweep_at_ms and waiting to null; set finished_at_ms of one that is not to null.",
  },
  {
    invariant: "bounds",
    name: "tried_too_often",
    sql: `select t.id, t.retries || ' retries of ' || json_extract(t.limits, '$.maxAttempts') || ' attempts, depth ' || t.depth as detail
      from tasks t where t.organization_id = ?1
        and (t.retries >= json_extract(t.limits, '$.maxAttempts') or t.depth > ${maxRemediationDepth})`,
    because: "It was tried again, or put right, more often than it may be.",
    remedy: "Cancel it if it is not over, and tell the makers of Switchyard: a bound did not hold.",
  },
];
