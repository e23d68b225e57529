import type { TaskView } from "../../../../shared/contracts/task.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { TaskQueue } from "../../domain/ports/taskQueue.ts";
import type { IdempotencyRecord, TaskStore } from "../../domain/ports/taskStore.ts";
import type { Settings } from "../../domain/settings.ts";
import type { LogEntry, Project, Task } from "../../domain/task.ts";
import { sha256OfJson } from "./requestHash.ts";
import { taskView } from "./taskView.ts";

export type AcceptDeps = {
  tasks: TaskStore;
  queue: TaskQueue;
  clock: Clock;
  log: Log;
  settings: Pick<Settings, "resendAfterMs">;
};

export type Accepted = { kind: "accepted" | "replayed"; view: TaskView };

/** What somebody asks for. `request` is told apart from others of the same key by its JSON. */
export type Asked = {
  organizationId: string;
  request: unknown;
  /** Null: the caller asks for no project. */
  projectId: string | null;
  idempotencyKey: string | null;
};

const idempotencyDays = 7;

/**
 * Accepts the task that `make` makes: one batch writes the task, its order, the log line and the idempotency record,
 * so an answer means that the task cannot be lost. The same key with the same request gives the first answer again,
 * and makes nothing. Errors: `idempotency_conflict`, and those of `make`.
 */
export async function acceptTask(
  deps: AcceptDeps,
  { organizationId, request, projectId, idempotencyKey }: Asked,
  make: (project: Project | null) => Promise<{ task: Task; log: LogEntry }>,
): Promise<Accepted> {
  const requestSha256 = idempotencyKey === null ? "" : await sha256OfJson(request);
  const find = () => deps.tasks.findForAccept(organizationId, projectId, idempotencyKey);
  const found = await find();
  if (found.replay !== null && found.replay.expiresAtMs > deps.clock.nowMs())
    return replay(found.replay, requestSha256);

  const { task, log } = await make(found.project);
  const view = taskView(task);
  const expiresAtMs = task.createdAtMs + idempotencyDays * 86_400_000;
  const answer = JSON.stringify(view);
  const accepted = await deps.tasks.accept({
    task,
    idempotency:
      idempotencyKey === null ? null : { key: idempotencyKey, requestSha256, answer, expiresAtMs },
    sweepAtMs: task.createdAtMs + deps.settings.resendAfterMs,
    log,
  });
  if (accepted.kind === "lost") {
    const again = await find();
    if (again.replay !== null) return replay(again.replay, requestSha256);
    throw new SwitchyardError("store_unavailable", "The task was not accepted. Send it again.");
  }
  await sendMessage(deps, task);
  return { kind: "accepted", view };
}

function replay(record: IdempotencyRecord, requestSha256: string): Accepted {
  if (record.requestSha256 !== requestSha256)
    throw new SwitchyardError(
      "idempotency_conflict",
      "This Idempotency-Key was used for another request. Use a new key for a new task.",
    );
  return { kind: "replayed", view: JSON.parse(record.answer) as TaskView };
}

/** The row is the outbox: a message that cannot be sent now is sent by the sweep. */
async function sendMessage(
  { queue, log }: AcceptDeps,
  { organizationId, id }: Task,
): Promise<void> {
  const ref = { organizationId, taskId: id };
  try {
    await queue.send(ref);
  } catch (error) {
    log.warn("task.message_not_sent", { ...ref, error });
  }
}
