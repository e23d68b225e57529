import { maxRemediationDepth } from "../../../orchestrator/worker/domain/limits.ts";
import {
  isFinalTask,
  isSettledExecution,
  type PatchSetStatus,
} from "../../../orchestrator/worker/domain/states.ts";
import type { Execution, PatchSetRecord, Task } from "../../../orchestrator/worker/domain/task.ts";
import { unapprovedDelivery } from "./approvers.ts";
import { branchesKept } from "./branchInvariants.ts";
import type { People } from "./people.ts";
import { revertsTakeBack } from "./revertRules.ts";
import type { View } from "./simStores.ts";
import type { World } from "./world.ts";

export type Violation = { invariant: string; what: string };

/** The state before, by which the next one is judged: what is final or settled stays so. */
export type Before = { tasks: Map<string, Task>; executions: Map<string, Execution> };

export const nothingBefore = (): Before => ({ tasks: new Map(), executions: new Map() });

/** What must hold after every event. Answers what does not. */
export function checkAlways(world: World, people: People, view: View, before: Before): Violation[] {
  return [
    ...oneProcessTree(world),
    ...deliveredAndVerified(world, view),
    ...branchesKept(world, view),
    ...approvedByAnother(world, people, view),
    ...revertsTakeBack(world, view, before),
    ...noticesMatch(view),
    ...completedMeansDone(view),
    ...tenantsApart(people),
    ...usageAsReported(view),
    ...capsKept(world, view),
    ...deadLettersTold(view),
    ...world.lowFences.map((what) => violation("I8", what)),
    ...finalStaysFinal(view, before),
    ...gateHeld(view, before),
    ...oneWay(view, before),
    ...boundsKept(world, view, before),
    ...keysOnce(view),
  ];
}

const violation = (invariant: string, what: string): Violation => ({ invariant, what });

/** I2: at most one process tree a task; a newer attempt starts when the older one is gone. */
function oneProcessTree(world: World): Violation[] {
  const seen = new Map<string, string>();
  return world.agents.alive().flatMap(({ taskId, executionId }) => {
    const other = seen.get(taskId);
    seen.set(taskId, executionId);
    return other === undefined
      ? []
      : [violation("I2", `${taskId} runs twice: ${other}, ${executionId}`)];
  });
}

/** I3: delivered is the verified tree, exactly. */
function deliveredAndVerified(world: World, view: View): Violation[] {
  const { forge } = world;
  return view.patchSets.flatMap((patch) => {
    if (patch.status !== "delivered") return [];
    const commit = forge.commits.get(patch.commitSha ?? "");
    if (commit?.treeId !== patch.treeId)
      return [violation("I3", `${patch.id} is not the verified tree`)];
    return isVerified(world, patch) ? [] : [violation("I3", `${patch.id} is unverified`)];
  });
}

/** Its commands passed, on its very tree; where they run in containers, one of them has said so. */
function isVerified({ validators }: World, patch: PatchSetRecord): boolean {
  if (patch.validation?.status !== "passed") return false;
  if (!validators.areUsed) return true;
  const told = validators.told.get(patch.validation.run ?? "");
  return told?.isPassed === true && told.treeId === patch.treeId;
}

/** I3: what needs a person is delivered exactly as somebody saw it who did not want the task. */
const approvedByAnother = (world: World, people: People, view: View): Violation[] =>
  view.patchSets.flatMap((patch) => {
    const what = unapprovedDelivery(world, people.approvals, view, patch);
    return what === null ? [] : [violation("I3", what)];
  });

/** I4: every end has one notice a channel, and nothing else has one; a child's end has none. */
function noticesMatch(view: View): Violation[] {
  const count = new Map<string, number>();
  for (const { notice } of view.notices) {
    const key = `${notice.taskId}.${notice.channel}`;
    count.set(key, (count.get(key) ?? 0) + 1);
  }
  return view.tasks.flatMap(({ id, status, parentId, callbackUrl }) =>
    ["inbox", "callback"].flatMap((channel) => {
      const isTold = isFinalTask(status) && parentId === null;
      const wanted = isTold && (channel === "inbox" || callbackUrl !== null) ? 1 : 0;
      const there = count.get(`${id}.${channel}`) ?? 0;
      return there === wanted
        ? []
        : [violation("I4", `${id} (${status}) has ${there} notices: ${channel}`)];
    }),
  );
}

const isInTheCode: readonly PatchSetStatus[] = ["delivered", "already_applied"];

/** I6: completed means delivered, there already, an honest "nothing to change", or a remediation that was. */
function completedMeansDone(view: View): Violation[] {
  const delivered = new Set(
    view.patchSets.filter(({ status }) => isInTheCode.includes(status)).map(({ taskId }) => taskId),
  );
  const completed = new Set(
    view.tasks.filter(({ status }) => status === "completed").map(({ id }) => id),
  );
  return view.tasks.flatMap((task) => {
    if (task.status !== "completed" || delivered.has(task.id)) return [];
    const byChild = view.tasks.some(
      ({ parentId, id }) => parentId === task.id && completed.has(id),
    );
    const nothing =
      task.outcome?.code === "no_changes" &&
      view.executions.some(
        ({ execution }) => execution.taskId === task.id && execution.status === "succeeded",
      );
    return byChild || nothing
      ? []
      : [violation("I6", `${task.id} is completed and nothing was done`)];
  });
}

/** I10 */
const tenantsApart = ({ leaks }: People): Violation[] =>
  leaks.map((said) => violation("I10", `shown to another tenant: ${said.slice(0, 200)}`));

/** I11: an execution's totals are what its agent reported; one that reported nothing has none. */
const usageAsReported = (view: View): Violation[] =>
  view.executions.flatMap(({ execution }) =>
    execution.usage === null || execution.usage.costMicroUsd === 1_234
      ? []
      : [violation("I11", `${execution.id} has other totals than its agent told`)],
  );

/** I12: live executions never exceed a cap. */
function capsKept(world: World, view: View): Violation[] {
  const { maxLiveExecutions, maxLivePerOrganization } = world.settings;
  const live = view.executions.filter(({ execution }) => execution.settledAtMs === null);
  const counts = new Map<string, number>();
  const add = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { execution, projectId } of live) {
    add(`organization ${execution.organizationId}`);
    add(`provider ${execution.organizationId} ${execution.provider}`);
    add(`project ${projectId}`);
  }
  const over = [...counts].flatMap(([key, n]) => {
    const cap = key.startsWith("organization")
      ? maxLivePerOrganization
      : (world.caps.get(key) ?? 100);
    return n > cap ? [violation("I12", `${n} live of ${key}, ${cap} allowed`)] : [];
  });
  return live.length > maxLiveExecutions
    ? [violation("I12", `${live.length} live, ${maxLiveExecutions} allowed`), ...over]
    : over;
}

/** I13: an open dead letter has a task that says so. */
function deadLettersTold(view: View): Violation[] {
  const byId = new Map(view.tasks.map((task) => [task.id, task]));
  const replays = new Map<string, number>();
  for (const { replayOf } of view.tasks)
    if (replayOf !== null) replays.set(replayOf, (replays.get(replayOf) ?? 0) + 1);
  const twice = [...replays].flatMap(([id, n]) =>
    n > 1 ? [violation("I13", `${id} was replayed ${n} times`)] : [],
  );
  const untold = view.deadLetters.flatMap(({ status, taskId }) => {
    const task = byId.get(taskId);
    return status === "moot" ||
      (task?.status === "escalated" && task.outcome?.code === "dead_letter")
      ? []
      : [violation("I13", `${taskId} (${task?.status}) does not tell of its dead letter`)];
  });
  return [...twice, ...untold];
}

/** What is over stays as it is: a final task, a settled execution. I8 shows here too. */
function finalStaysFinal(view: View, before: Before): Violation[] {
  const tasks = view.tasks.flatMap((task) => {
    const was = before.tasks.get(task.id);
    if (was === undefined) return [];
    if (task.fence < was.fence)
      return [violation("I8", `${task.id} went back to fence ${task.fence}`)];
    if (!isFinalTask(was.status)) return [];
    const same = was.status === task.status && was.outcome?.code === task.outcome?.code;
    return same ? [] : [violation("final", `${task.id} was ${was.status} and is ${task.status}`)];
  });
  const executions = view.executions.flatMap(({ execution }) => {
    const was = before.executions.get(execution.id)?.status ?? execution.status;
    const mayMove = !isSettledExecution(was) || was === "suspended" || was === execution.status;
    return mayMove
      ? []
      : [violation("final", `${execution.id} was ${was} and is ${execution.status}`)];
  });
  return [...tasks, ...executions];
}

/** An execution goes one way: what runs does not start again. */
const wayOf = ["pending", "starting", "running"];

function oneWay(view: View, before: Before): Violation[] {
  return view.executions.flatMap(({ execution }) => {
    const was = wayOf.indexOf(before.executions.get(execution.id)?.status ?? "");
    const is = wayOf.indexOf(execution.status);
    return is >= 0 && is < was
      ? [violation("way", `${execution.id} went back to ${execution.status}`)]
      : [];
  });
}

/** The gate: nothing starts for a task that somebody has cancelled. */
function gateHeld(view: View, before: Before): Violation[] {
  return view.executions.flatMap(({ execution }) => {
    const was = before.tasks.get(execution.taskId);
    const cancelledBefore = was !== undefined && was.cancelRequestedAtMs !== null;
    const wasPending = before.executions.get(execution.id)?.status === "pending";
    return cancelledBefore && wasPending && execution.status === "starting"
      ? [violation("cancel", `${execution.taskId} was started after its cancel`)]
      : [];
  });
}

/** Attempts, remediations and waits are bounded, and a person's cancel is not passed over. */
const boundsKept = (world: World, view: View, before: Before): Violation[] =>
  view.tasks.flatMap((task) => {
    const was = before.tasks.get(task.id);
    return [
      ...ownBounds(world, task),
      ...(was === undefined ? [] : [...timesKept(world, was, task), ...cancelHeard(was, task)]),
    ];
  });

function ownBounds(world: World, { id, retries, limits, depth }: Task): Violation[] {
  if (retries >= limits.maxAttempts)
    return [violation("bounds", `${id} was tried more often than allowed`)];
  const deepest = Math.min(world.remediationDepth, maxRemediationDepth);
  return depth > deepest ? [violation("bounds", `${id} is too deep`)] : [];
}

function timesKept({ nowMs }: World, was: Task, { id, status, deadlineAtMs }: Task): Violation[] {
  if (was.status === "parked" && status === "queued" && (was.notBeforeMs ?? 0) > nowMs)
    return [violation("bounds", `${id} was unparked before its time`)];
  return was.status === "queued" && status === "assigned" && deadlineAtMs + 60_000 < nowMs
    ? [violation("bounds", `${id} was claimed after its deadline`)]
    : [];
}

function cancelHeard(was: Task, { id, status }: Task): Violation[] {
  const passed = was.cancelRequestedAtMs !== null && was.status !== status;
  return passed && goesOn.includes(status)
    ? [violation("cancel", `${id} went on to ${status} after its cancel`)]
    : [];
}

const goesOn = [
  "queued",
  "parked",
  "waiting_input",
  "patching",
  "validating",
  "delivering",
  "remediating",
];

/** One task for one idempotency key, whatever was doubled. */
function keysOnce(view: View): Violation[] {
  const seen = new Set<string>();
  return view.tasks.flatMap(({ organizationId, prompt, parentId, replayOf, id }) => {
    if (parentId !== null || replayOf !== null || prompt.kind !== "inline") return [];
    const key = `${organizationId} ${prompt.text}`;
    const isSecond = seen.has(key);
    seen.add(key);
    return isSecond
      ? [violation("idempotency", `${id} is a second task for "${prompt.text}"`)]
      : [];
  });
}

/** What the next check compares with. */
export const remember = (view: View): Before => ({
  tasks: new Map(view.tasks.map((task) => [task.id, task])),
  executions: new Map(view.executions.map(({ execution }) => [execution.id, execution])),
});
