import { orderHoldingStatuses } from "../../domain/states.ts";
import { type Check, final, listed, taskOf } from "./check.ts";

const patch = `'patch set ' || p.id || ' is ' || p.status || ', the task is ' || t.status`;
const compareWithGit =
  "Compare with the branch factory/ORDER in the repository: what is on it is what counts.";
const tellTheMakers = "Tell the makers of Switchyard, with the task's log: a guard did not hold.";

/** I3, I6, I8: what went into the code, and whether it may say so. */
export const deliveryChecks: readonly Check[] = [
  {
    invariant: "I3",
    name: "delivered_unverified",
    sql: `select p.task_id as id, 'patch set ' || p.id || ': validation ' || coalesce(json_extract(p.validation, '$.status'), 'missing')
        || ', tree ' || coalesce(p.tree_id, 'missing') || ', commit ' || coalesce(p.commit_sha, 'missing') as detail
      from patch_sets p where p.organization_id = ?1 and p.status = 'delivered' and (
        coalesce(json_extract(p.validation, '$.status'), '') not in ('passed', 'none')
        or p.tree_id is null or p.commit_sha is null)`,
    because: "A commit was delivered, and no row shows that exactly its tree was verified.",
    remedy: `Run the project's commands on the commit yourself. ${compareWithGit}`,
  },
  {
    invariant: "I3",
    name: "delivered_unapproved",
    sql: `select p.task_id as id, 'patch set ' || p.id || ' is ' || p.status || ', approved by ' || coalesce(p.approved_by, 'nobody') as detail
      from patch_sets p where p.organization_id = ?1 and p.status in ('delivering', 'delivered')
        and p.approval_reasons is not null
        and p.approved_binding is not p.content_key || ':' || p.base_commit || coalesce(':' || p.onto_commit, '') || ':' || p.tree_id`,
    because: "It needed a person's approval, and what was approved is not what the row holds.",
    remedy: `Look at the commit yourself. ${tellTheMakers}`,
  },
  {
    invariant: "I3",
    name: "delivered_twice",
    sql: `select p.task_id as id, group_concat(p.id || ' ' || coalesce(p.commit_sha, '?'), ', ') as detail
      from patch_sets p where p.organization_id = ?1 and p.status = 'delivered'
      group by p.task_id having count(*) > 1`,
    because: "One task has delivered two patch sets.",
    remedy: `${compareWithGit} ${tellTheMakers}`,
  },
  {
    invariant: "I3",
    name: "delivery_half_written",
    sql: `select p.task_id as id, ${patch} as detail from patch_sets p ${taskOf("p", "task_id")}
      where p.organization_id = ?1 and p.fence <= t.fence and (
        p.status = 'delivering' and t.status = 'completed'
        or p.status = 'delivered' and t.status <> 'completed')`,
    because: "The task and its patch set disagree on whether the commit is on its branch.",
    remedy: `${compareWithGit} Then set the row that is wrong.`,
  },
  {
    invariant: "I3",
    name: "patch_set_left_open",
    sql: `select p.task_id as id, ${patch} as detail from patch_sets p ${taskOf("p", "task_id")}
      where p.organization_id = ?1 and p.fence <= t.fence and p.status in ('received', 'validating', 'delivering')
        and not (p.status = 'delivering' and t.status = 'completed')
        and (p.fence < t.fence or t.status in ('queued', 'assigned', 'running', 'parked', 'waiting_input', 'remediating', ${final}))`,
    because:
      "The task has gone on, and a patch set of it still says that it is on its way into the code.",
    remedy: `${compareWithGit} If its commit is not there, set the patch set's status to failed.`,
  },
  {
    invariant: "I3",
    name: "head_is_no_delivery",
    sql: `select o.id, 'head ' || coalesce(o.head_commit, 'missing') || ' of project ' || o.project_id as detail from orders o
      where o.organization_id = ?1 and case when o.head_commit is null
        then (o.project_id, o.id) in (select t.project_id, t.order_id from patch_sets p ${taskOf("p", "task_id")}
          where p.organization_id = ?1 and p.status = 'delivered')
        else (o.project_id, o.id, o.head_commit) not in (
          select t.project_id, t.order_id, p.commit_sha from patch_sets p ${taskOf("p", "task_id")}
          where p.organization_id = ?1 and p.status = 'delivered' and p.commit_sha is not null)
          and (o.project_id, o.id, o.head_commit) not in (
          select t.project_id, t.order_id, p.onto_commit from patch_sets p ${taskOf("p", "task_id")}
          where p.organization_id = ?1 and p.onto_commit is not null) end`,
    because:
      "The next task of the order goes on from a commit that no task of it has delivered or was brought onto.",
    remedy: `${compareWithGit} Set head_commit to what that branch is at.`,
  },
  {
    invariant: "I6",
    name: "completed_without_work",
    sql: `select t.id, t.kind || ', outcome ' || coalesce(t.outcome_code, 'none') as detail from tasks t
      where t.organization_id = ?1 and t.status = 'completed'
        and not exists (select 1 from patch_sets p where p.organization_id = t.organization_id
          and p.task_id = t.id and p.status in ('delivered', 'delivering', 'already_applied'))
        and not exists (select 1 from tasks c where c.organization_id = t.organization_id
          and c.parent_id = t.id and c.status = 'completed')
        and not exists (select 1 from ai_provider_executions e where e.organization_id = t.organization_id
          and e.task_uuid = t.id and e.status = 'succeeded' and (t.outcome_code = 'no_changes'
            or t.kind not in ('code', 'remediation') and coalesce(e.output, e.output_key) is not null))`,
    because:
      "It says completed, and there is neither a delivery nor an agent that ended well without one.",
    remedy: `${compareWithGit} Whoever was told that it is completed should hear that it may not be.`,
  },
  {
    invariant: "I8",
    name: "patch_set_above_fence",
    sql: `select p.task_id as id, 'patch set ' || p.id || ' at fence ' || p.fence || ', the task at ' || t.fence as detail
      from patch_sets p ${taskOf("p", "task_id")} where p.organization_id = ?1 and p.fence > t.fence`,
    because:
      "The patch set is of an attempt that its task does not know yet: the task's fence went back.",
    remedy: `Set the task's fence to that of its newest attempt. ${tellTheMakers}`,
  },
  {
    invariant: "waiting",
    name: "approval_not_asked_for",
    sql: `select p.task_id as id, ${patch} as detail from patch_sets p ${taskOf("p", "task_id")}
      where p.organization_id = ?1 and p.status = 'awaiting_approval' and p.fence <= t.fence
        and (t.status <> 'waiting_input' or p.fence < t.fence)`,
    because: "The patch set waits to be approved, and its task asks nobody.",
    remedy:
      "Set the patch set's status to failed, and hand the task over again if the change is wanted.",
  },
  {
    invariant: "order",
    name: "order_held_twice",
    sql: `select t.order_id as id, group_concat(t.id || ' is ' || t.status, ', ') as detail from tasks t
      where t.organization_id = ?1 and t.status in (${listed(orderHoldingStatuses)})
      group by t.project_id, t.order_id
      having sum(t.status <> 'remediating') > 1 or sum(t.parent_id is null) > 1`,
    because:
      "Two tasks of one order are worked on at once, so one of them starts from a commit that gets old.",
    remedy: `Cancel the later one and hand it over again. ${tellTheMakers}`,
  },
];
