import { ownProvider } from "../../domain/task.ts";
import type { Check } from "./check.ts";

const tellTheMakers = "Tell the makers of Switchyard, with the task's log.";

/** A task that takes a patch back names what its own order has delivered, and no agent works on it. */
export const revertChecks: readonly Check[] = [
  {
    invariant: "revert",
    name: "revert_of_no_delivery",
    sql: `select t.id, 'takes back ' || t.reverts || ' in ' || t.order_id || ', which is '
        || coalesce(p.status || ' in ' || o.order_id || ' of ' || o.project_id, 'not there') as detail
      from tasks t left join patch_sets p on p.organization_id = t.organization_id and p.id = t.reverts
        left join tasks o on o.organization_id = p.organization_id and o.id = p.task_id
      where t.organization_id = ?1 and t.reverts is not null and (p.status is not 'delivered'
        or o.project_id is not t.project_id or o.order_id is not t.order_id)`,
    because: "It takes back a patch that its order has not delivered, so there is nothing to undo.",
    remedy: `Cancel it if it is not over; if it has delivered, look at its commit. ${tellTheMakers}`,
  },
  {
    invariant: "revert",
    name: "revert_half_written",
    sql: `select t.id, t.kind || ' that takes back ' || coalesce(t.reverts, 'nothing') as detail from tasks t
      where t.organization_id = ?1 and (t.kind = 'revert') <> (t.reverts is not null)`,
    because:
      "A revert is its kind and the patch set that it names together; here one of them is missing.",
    remedy: "Set the column that is wrong, or cancel the task and ask for the revert again.",
  },
  {
    invariant: "revert",
    name: "revert_by_an_agent",
    sql: `select t.id, e.execution_id || ' of ' || e.provider_name || ' is ' || e.status as detail
      from tasks t join ai_provider_executions e on e.organization_id = t.organization_id and e.task_uuid = t.id
      where t.organization_id = ?1 and t.reverts is not null and e.provider_name <> '${ownProvider}'`,
    because: "An agent was given a revert, and what it left is not the inverse that was asked for.",
    remedy: `Look at its patch set before anything of it is approved. ${tellTheMakers}`,
  },
];
