import { type Check, dayMs, final, hourMs, time } from "./check.ts";

const tellByHand = "Tell by hand whoever waits for it, and tell the makers of Switchyard.";

/** Where letters lie whose organization nobody can tell. */
const unknownOrganization = "-";

/** I4, I13: what people and callers are told, and what was sent and could not be read. */
export const noticeChecks: readonly Check[] = [
  {
    invariant: "I4",
    name: "end_not_told_once",
    sql: `select t.id, t.status || ', told ' || coalesce(n.inbox, 0) || ' times in the inbox and ' || coalesce(n.callback, 0)
        || ' times by callback' as detail
      from tasks t left join (
        select task_id, sum(channel = 'inbox') as inbox, sum(channel = 'callback') as callback
        from notices where organization_id = ?1 group by task_id) n on n.task_id = t.id
      where t.organization_id = ?1 and t.status in (${final}) and t.parent_id is null
        and (coalesce(n.inbox, 0) <> 1 or coalesce(n.callback, 0) <> (t.callback_url is not null))`,
    because:
      "The end of a task makes one notice for the inbox, and one for its callback if it has one; here it did not.",
    remedy: tellByHand,
  },
  {
    invariant: "I4",
    name: "told_without_end",
    sql: `select n.id, n.channel || ' of ' || n.task_id || ', which is ' || case when t.parent_id is not null
        then 'a child' else coalesce(t.status, 'not there') end as detail
      from notices n left join tasks t on t.organization_id = n.organization_id and t.id = n.task_id
      where n.organization_id = ?1 and (t.id is null or t.status not in (${final}) or t.parent_id is not null)`,
    because:
      "Somebody is told of the end of a task that has not ended, or whose end is told as its parent's.",
    remedy:
      "Tell whoever heard it that it is not so. Delete the notice, or the true one cannot be written.",
  },
  {
    invariant: "I4",
    name: "notice_not_sent",
    sql: `select n.id, n.channel || ' of ' || n.task_id || ', due ' || ${time("n.next_attempt_at_ms")} as detail from notices n
      where n.organization_id = ?1 and n.status = 'pending'
        and coalesce(n.next_attempt_at_ms, 0) < ?2 - ${hourMs}`,
    because: "The notice was to be sent more than an hour ago, and was neither sent nor given up.",
    remedy:
      "Look whether the cron tick comes: a deployment that is stopped has none until it is started. A next_attempt_at_ms of null is set to 1.",
  },
  {
    invariant: "I13",
    name: "dead_letter_not_told",
    sql: `select d.id, d.status || ', its task ' || d.task_id || ' is ' || coalesce(t.status || ' (' || coalesce(t.outcome_code, 'no outcome') || ')', 'not there') as detail
      from dead_letters d left join tasks t on t.organization_id = d.organization_id and t.id = d.task_id
      where d.organization_id = ?1 and d.status <> 'moot'
        and (t.status is not 'escalated' or t.outcome_code is not 'dead_letter')`,
    because: "A message was given up for a task, and the task does not say so.",
    remedy:
      "If the task goes on, set the letter's status to moot; else replay it: POST /api/v1/dead-letters/ID/replay.",
  },
  {
    invariant: "I13",
    name: "replayed_twice",
    sql: `select t.replay_of as id, 'as ' || group_concat(t.id, ', ') as detail from tasks t
      where t.organization_id = ?1 and t.replay_of is not null group by t.replay_of having count(*) > 1`,
    because: "One task was replayed by two, so the same work is done twice.",
    remedy: "Cancel the later of the two.",
  },
  {
    invariant: "I13",
    name: "replay_missing",
    sql: `select d.id, 'replayed as ' || coalesce(d.replayed_as, 'nothing') as detail from dead_letters d
      where d.organization_id = ?1 and d.status = 'replayed' and not exists (
        select 1 from tasks t where t.organization_id = d.organization_id and t.id = d.replayed_as)`,
    because: "The letter says that its task was sent again, and that task is not there.",
    remedy: "Set the letter's status to open and replay it.",
  },
  {
    invariant: "I13",
    name: "message_unreadable",
    sql: `select d.id, d.because as detail from dead_letters d
      where d.organization_id = ?1 and d.organization_id = '${unknownOrganization}'`,
    because: "A message came that nobody can read, and it does not say whose it is.",
    remedy:
      "Find who sends into the queue beside this worker (the log has queue.unreadable with its faults); then delete the row.",
  },
  {
    invariant: "idempotency",
    name: "key_kept_too_long",
    sql: `select r.key as id, 'expired ' || ${time("r.expires_at_ms")} as detail from idempotency_records r
      where r.organization_id = ?1 and r.expires_at_ms < ?2 - ${2 * dayMs}`,
    because:
      "The record of the key expired two days ago and more, and the tick has not removed it.",
    remedy:
      "Look whether the cron tick comes, and whether it logs tick.part_failed for idempotency. A late record harms nobody.",
  },
];
