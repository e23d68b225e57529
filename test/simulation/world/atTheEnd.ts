import { outputKey } from "../../../orchestrator/worker/domain/outputKey.ts";
import { isFinalTask } from "../../../orchestrator/worker/domain/states.ts";
import { transcriptKey } from "../../../orchestrator/worker/services/supervision/archiveRun.ts";
import type { Violation } from "./invariants.ts";
import { organizations, type People } from "./people.ts";
import { outputOf } from "./simPatches.ts";
import type { View } from "./simStores.ts";
import { canary, type World } from "./world.ts";

const violation = (invariant: string, what: string): Violation => ({ invariant, what });

/** What must hold when faults have stopped and every wait is over. */
export async function checkAtTheEnd(world: World, people: People): Promise<Violation[]> {
  const view = await world.stores.view();
  return [
    ...noTaskLost(people, view),
    ...nothingRuns(world),
    ...toldOnce(world, view),
    ...deliveredIsTold(world, view),
    ...cancelsKept(people, view),
    ...silentRunsEnded(world),
    ...eventsWhole(world, view),
    ...deadMessagesRecorded(world, view),
    ...outputsThere(world, view),
    ...(await noCanary(world)),
    ...(await world.audit.checkAtTheEnd(organizations)),
  ];
}

/** I1: every accepted task is there, and over. */
function noTaskLost(people: People, view: View): Violation[] {
  const byId = new Map(view.tasks.map((task) => [task.id, task]));
  const lost = people.accepted.filter(({ taskId }) => !byId.has(taskId));
  const open = view.tasks.filter(({ status }) => !isFinalTask(status));
  return [
    ...lost.map(({ taskId }) => violation("I1", `${taskId} was accepted and is not there`)),
    ...open.map(({ id, status, fence }) =>
      violation("I1", `${id} is ${status} for ever (fence ${fence})`),
    ),
  ];
}

/** I2: no process is left, and no container. */
const nothingRuns = ({ agents, validators }: World): Violation[] =>
  [...agents.alive().map(({ executionId }) => executionId), ...validators.open.keys()].map((id) =>
    violation("I2", `${id} still runs`),
  );

/** A run that says nothing is ended by its limit, long before its wall clock. */
const silenceSlackMs = 25 * 60_000;

const silentRunsEnded = ({ agents }: World): Violation[] =>
  [...agents.runs.values()].flatMap(({ executionId, events, endedAtMs, request }) => {
    const lastMs = events.at(-2)?.atMs ?? events.at(-1)?.atMs ?? 0;
    const silentMs = (endedAtMs ?? lastMs) - lastMs;
    return silentMs > request.limits.silenceMs + silenceSlackMs
      ? [
          violation(
            "silence",
            `${executionId} said nothing for ${Math.round(silentMs / 60_000)} minutes`,
          ),
        ]
      : [];
  });

/** I4: who is to be called was called, with one id, unless it was given up. */
const toldOnce = ({ callbacks }: World, view: View): Violation[] =>
  view.notices.flatMap(({ notice, status }) => {
    if (notice.channel !== "callback" || status === "dead") return [];
    const ids = new Set(callbacks.received.get(notice.dedupeKey));
    return ids.size === 1
      ? []
      : [violation("I4", `${notice.taskId} was told under ${ids.size} ids`)];
  });

/** I3: a commit that is on its branch is told as what its task has delivered. */
function deliveredIsTold({ forge }: World, view: View): Violation[] {
  const isThere = forge.moves.filter(({ ref, to }) => forge.isOn(forge.refs.get(ref) ?? null, to));
  const moved = new Set(isThere.map(({ to }) => forge.commits.get(to)?.taskId));
  const told = new Set(
    view.patchSets.filter(({ status }) => status === "delivered").map(({ taskId }) => taskId),
  );
  return view.tasks.flatMap(({ id, status, outcome }) => {
    const isTold = status === "completed" && told.has(id);
    return moved.has(id) && !isTold && !outcome?.message.includes("could not be moved")
      ? [violation("I3", `${id} was delivered and is told as ${status} (${outcome?.code})`)]
      : [];
  });
}

/** A cancel that was answered before the delivery is kept. */
function cancelsKept({ cancels }: People, view: View): Violation[] {
  const byId = new Map(view.tasks.map((task) => [task.id, task]));
  const ownDelivery = new Set(
    view.patchSets.filter(({ status }) => status === "delivered").map(({ taskId }) => taskId),
  );
  return cancels.flatMap(({ taskId, answer, childThen }) => {
    const status = byId.get(taskId)?.status;
    if (childThen !== null && early.includes(childThen) && status === "completed")
      return [violation("cancel", `${taskId} was cancelled and its child went on`)];
    if (answer === "cancelled" && status !== "cancelled")
      return [violation("cancel", `${taskId} was told as cancelled and is ${status}`)];
    return ownDelivery.has(taskId)
      ? [violation("cancel", `${taskId} was delivered after its cancel`)]
      : [];
  });
}

/** A child in one of these had nothing to deliver when its parent was cancelled. */
const early = ["queued", "parked", "assigned"];

/** Events are numbered from 1 without a gap, each once; a run that was judged by its report has all of them. */
function eventsWhole(world: World, view: View): Violation[] {
  return view.tasks.flatMap((task) => {
    const text = world.texts.get(transcriptKey(task.organizationId, task.id));
    if (text === undefined) return [];
    const events = text
      .split("\n")
      .filter((line) => line !== "")
      .map(
        (line) => JSON.parse(line) as { fence: number; number: number; event: { type: string } },
      );
    return view.executions
      .filter(({ execution }) => execution.taskId === task.id)
      .flatMap(({ execution }) => {
        const own = events.filter(({ fence }) => fence === execution.fence);
        const numbers = own.map(({ number }) => number);
        if (numbers.some((number, at) => number !== at + 1))
          return [violation("events", `${execution.id} has a gap: ${numbers.join(",")}`)];
        return wholeRun(
          world,
          execution.id,
          own.map(({ event }) => event.type),
        );
      });
  });
}

const ofAgents = ["agent_started", "message", "agent_exited"];

function wholeRun(world: World, executionId: string, types: readonly string[]): Violation[] {
  const run = world.agents.runs.get(executionId);
  const held = types.filter((type) => ofAgents.includes(type)).length;
  if (run === undefined || run.report === null) return [];
  if (held > run.events.length) return [violation("events", `${executionId} has events twice`)];
  return held < run.events.length && world.wasJudged(executionId)
    ? [violation("events", `${executionId} has ${held} of ${run.events.length} events`)]
    : [];
}

/** What a verdict names as kept is there, and is that of its own run. */
const outputsThere = ({ texts }: World, view: View): Violation[] =>
  view.patchSets.flatMap(({ id, validation, ...patch }) =>
    (validation?.commands ?? []).flatMap(({ output }, command) => {
      const run = validation?.run ?? "";
      const isThere = texts.get(outputKey(patch, run, command)) === outputOf(run, command);
      return output == null || isThere
        ? []
        : [violation("output", `${id} has no output of command ${command}`)];
    }),
  );

/** I13: every message that was given up was seen, unless its task was over. */
const deadMessagesRecorded = ({ queues }: World, view: View): Violation[] => {
  const recorded = new Set(view.deadLetters.map(({ messageId }) => messageId));
  return [...queues.deadIds].flatMap((id) =>
    recorded.has(id) || queues.lostDeadIds.has(id) || queues.deadAfterEndIds.has(id)
      ? []
      : [violation("I13", `${id} was given up and nobody sees it`)],
  );
};

/** I9: no secret in any row, log line, message, event or artifact, in any form. */
async function noCanary(world: World): Promise<Violation[]> {
  const said = [
    await world.stores.dump(),
    world.logged.join("\n"),
    JSON.stringify(world.queues.history),
    [...world.texts.values()].join("\n"),
  ].join("\n");
  const bytes = Buffer.from(canary);
  const forms = [
    canary,
    bytes.toString("hex"),
    encodeURIComponent(canary),
    ...[0, 1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), bytes])
        .toString("base64")
        .slice(4, -4),
    ),
    bytes.toString("base64url").slice(4, -4),
  ];
  return forms.some((form) => said.includes(form)) ? [violation("I9", "the canary is out")] : [];
}
