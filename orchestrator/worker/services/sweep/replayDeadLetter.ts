import type { Principal } from "../../../../shared/contracts/identity.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { DeadLetter, DeadLetterStore } from "../../domain/ports/deadLetterStore.ts";
import type { Ids } from "../../domain/ports/ids.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { TaskQueue } from "../../domain/ports/taskQueue.ts";
import type { TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import { type Task, untouchedTask } from "../../domain/task.ts";

export type ReplayDeps = {
  tasks: TaskStore;
  deadLetters: DeadLetterStore;
  queue: TaskQueue;
  clock: Clock;
  ids: Ids;
  log: Log;
  settings: Pick<Settings, "resendAfterMs">;
};

/**
 * Sends the task of a dead letter again, as a new task: what was told of the old one stays true. A letter is
 * replayed once; asking again answers the same task.
 */
export async function replayDeadLetter(
  deps: ReplayDeps,
  principal: Principal,
  letterId: string,
): Promise<Task> {
  const { organizationId } = principal;
  const letter = await deps.deadLetters.find(organizationId, letterId);
  if (letter === null)
    throw new SwitchyardError("dead_letter_not_found", `There is no dead letter ${letterId}.`);
  if (letter.status === "replayed") return replayed(deps, letter);
  const old = await deps.tasks.find({ organizationId, taskId: letter.taskId });
  if (letter.status === "moot" || old === null)
    throw new SwitchyardError("nothing_to_replay", `Nothing was lost with it. ${letter.because}`);

  const task = again(deps, old, principal.id);
  const written = await deps.deadLetters.replay(organizationId, letterId, {
    task: {
      task,
      sweepAtMs: task.createdAtMs + deps.settings.resendAfterMs,
      log: {
        actor: principal.id,
        action: "task.accepted",
        message: `It replays ${old.id}, whose message was a dead letter.`,
      },
    },
    by: principal.id,
    nowMs: task.createdAtMs,
    log: {
      actor: principal.id,
      action: "dead_letter.replayed",
      message: `${principal.id} replayed it as ${task.id}.`,
    },
  });
  if (written.kind === "lost") {
    const now = await deps.deadLetters.find(organizationId, letterId);
    return replayed(deps, now ?? letter);
  }
  await send(deps, task);
  return task;
}

const maxReplaysAtOnce = 100;

/** Replays every open letter, oldest last, at most a hundred at once; `more` says whether some are left. */
export async function replayAllDeadLetters(
  deps: ReplayDeps,
  principal: Principal,
): Promise<{ replayed: { deadLetterId: string; taskId: string }[]; more: boolean }> {
  const { organizationId } = principal;
  const open = await deps.deadLetters.list({
    organizationId,
    status: "open",
    limit: maxReplaysAtOnce + 1,
  });
  const done: { deadLetterId: string; taskId: string }[] = [];
  for (const { id } of open.slice(0, maxReplaysAtOnce))
    done.push({
      deadLetterId: id,
      taskId: (await replayDeadLetter(deps, principal, id)).id,
    });
  return { replayed: done, more: open.length > maxReplaysAtOnce };
}

async function replayed(
  deps: ReplayDeps,
  { organizationId, replayedAs }: DeadLetter,
): Promise<Task> {
  const task =
    replayedAs === null ? null : await deps.tasks.find({ organizationId, taskId: replayedAs });
  if (task !== null) return task;
  throw new SwitchyardError("store_unavailable", "The replay is under way. Ask again in a moment.");
}

/** The same work, with all its time before it. */
function again({ ids, clock }: ReplayDeps, old: Task, by: string): Task {
  const nowMs = clock.nowMs();
  return {
    ...old,
    ...untouchedTask(nowMs),
    id: ids.next("task"),
    deadlineAtMs: nowMs + Math.max(old.deadlineAtMs - old.createdAtMs, 0),
    retries: 0,
    parentId: null,
    depth: 0,
    replayOf: old.id,
    createdBy: by,
  };
}

/** The row is the outbox: a message that cannot be sent now is sent by the sweep. */
async function send(deps: ReplayDeps, { organizationId, id: taskId }: Task): Promise<void> {
  try {
    await deps.queue.send({ organizationId, taskId });
  } catch (error) {
    deps.log.warn("task.message_not_sent", { organizationId, taskId, error });
  }
}
