import { liveExecutionStatuses } from "../../domain/states.ts";
import { type Check, final, listed, live, taskOf } from "./check.ts";

const tellTheMakers = "Tell the makers of Switchyard, with the task's log: a guard did not hold.";
const endIt =
  "See that its process is gone (the runner's log names the execution), then set its status to lost and its settled_at_ms to now.";
const attempt = `'execution ' || e.execution_id || ' is ' || e.status || ' at fence ' || e.fence || ', the task is ' || t.status || ' at ' || t.fence`;

/** I2, I8, I12: who works, for which attempt, and how many at once. */
export const attemptChecks: readonly Check[] = [
  {
    invariant: "I2",
    name: "two_live_executions",
    sql: `select e.task_uuid as id, group_concat(e.execution_id || ' (fence ' || e.fence || ')', ', ') as detail
      from ai_provider_executions e where e.organization_id = ?1 and ${live}
      group by e.task_uuid having count(*) > 1`,
    because: "Two attempts at one task count as live, so two agents may work on it.",
    remedy: `Cancel the task. ${tellTheMakers}`,
  },
  {
    invariant: "I2",
    name: "live_execution_of_final_task",
    sql: `select e.task_uuid as id, ${attempt} as detail from ai_provider_executions e ${taskOf("e", "task_uuid")}
      where e.organization_id = ?1 and ${live} and t.status in (${final})`,
    because: "The task is over and an attempt at it still holds a slot, and may hold a process.",
    remedy: endIt,
  },
  {
    invariant: "I2",
    name: "live_execution_out_of_step",
    sql: `select e.task_uuid as id, ${attempt} as detail from ai_provider_executions e ${taskOf("e", "task_uuid")}
      where e.organization_id = ?1 and ${live} and t.status not in (${final}) and (
        e.fence < t.fence or e.fence = t.fence and t.status not in ('assigned', 'running'))
        and not exists (select 1 from ai_provider_executions o where o.organization_id = e.organization_id
          and o.task_uuid = e.task_uuid and o.fence <> e.fence and o.settled_at_ms is null)`,
    because:
      "The task has gone on without this attempt, which still holds a slot and may hold a process.",
    remedy: endIt,
  },
  {
    invariant: "I8",
    name: "execution_above_fence",
    sql: `select e.task_uuid as id, ${attempt} as detail from ai_provider_executions e ${taskOf("e", "task_uuid")}
      where e.organization_id = ?1 and e.fence > t.fence`,
    because: "The attempt is newer than its task knows: the task's fence went back.",
    remedy: `Set the task's fence to that of its newest attempt. ${tellTheMakers}`,
  },
  {
    invariant: "I12",
    name: "project_above_cap",
    sql: `select p.id, count(*) || ' live, ' || json_extract(p.settings, '$.maxLive') || ' allowed' as detail
      from projects p join ai_provider_executions e on e.organization_id = p.organization_id and e.project_id = p.id
      where p.organization_id = ?1 and ${live}
      group by p.id having count(*) > json_extract(p.settings, '$.maxLive')`,
    because: "More attempts of the project are live than its maxLive allows.",
    remedy: `Nothing new starts until enough have ended. ${tellTheMakers}`,
  },
  {
    invariant: "I12",
    name: "provider_above_cap",
    sql: `select c.provider_name as id, count(*) || ' live, ' || json_extract(c.rate_limits, '$.maxLive') || ' allowed' as detail
      from ai_provider_configs c join ai_provider_executions e
        on e.organization_id = c.organization_id and e.provider_name = c.provider_name
      where c.organization_id = ?1 and ${live}
      group by c.provider_name
      having count(*) > json_extract(c.rate_limits, '$.maxLive') and max(e.created_at_ms) > c.updated_at_ms`,
    because:
      "More attempts of the provider are live than its maxLive allows, and not because it was lowered.",
    remedy: `Nothing new starts until enough have ended. ${tellTheMakers}`,
  },
  {
    invariant: "I12",
    name: "execution_half_settled",
    sql: `select e.execution_id as id, e.status || ' of ' || e.task_uuid || ', settled_at_ms ' || coalesce(e.settled_at_ms, 'null') as detail
      from ai_provider_executions e where e.organization_id = ?1
        and (e.status in (${listed(liveExecutionStatuses)})) <> (${live})`,
    because:
      "Its status and its settled_at_ms disagree on whether it is live, so a slot is lost or given twice.",
    remedy: "Set settled_at_ms to a time if the status is one of an end, else to null.",
  },
  {
    invariant: "waiting",
    name: "suspended_without_question",
    sql: `select e.task_uuid as id, ${attempt} as detail from ai_provider_executions e ${taskOf("e", "task_uuid")}
      where e.organization_id = ?1 and e.status = 'suspended' and e.fence <= t.fence
        and (t.status <> 'waiting_input' or e.fence < t.fence)`,
    because: "The attempt waits for an answer that nobody is asked for.",
    remedy: "Set the attempt's status to failed: no answer can reach it.",
  },
  {
    invariant: "waiting",
    name: "waits_for_nothing",
    sql: `select t.id, coalesce(json_extract(t.waiting, '$.kind'), 'nothing asked') as detail from tasks t
      where t.organization_id = ?1 and t.status = 'waiting_input' and not case
        when json_extract(t.waiting, '$.kind') = 'approval' then exists (
          select 1 from patch_sets p where p.organization_id = t.organization_id
            and p.task_id = t.id and p.fence = t.fence and p.status = 'awaiting_approval')
        when t.waiting is not null then exists (
          select 1 from ai_provider_executions e where e.organization_id = t.organization_id
            and e.task_uuid = t.id and e.fence = t.fence and e.status = 'suspended')
        else 0 end`,
    because: "It waits for a person, and what that person could answer or approve is not there.",
    remedy: "Cancel the task and hand it over again.",
  },
];
