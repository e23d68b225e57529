import type { Archives, Artifacts } from "./domain/ports/artifacts.ts";
import type { Callbacks } from "./domain/ports/callbacks.ts";
import type { Brief } from "./domain/ports/executionStore.ts";
import type { NoticeStore } from "./domain/ports/noticeStore.ts";
import type { PatchSetStore } from "./domain/ports/patchSetStore.ts";
import type { Forge, Runner } from "./domain/ports/runner.ts";
import type { Attempt, StreamEvent } from "./domain/ports/supervisorMemory.ts";
import type { TaskRef } from "./domain/ports/supervisors.ts";
import type { TaskQueue } from "./domain/ports/taskQueue.ts";
import type { TaskStore } from "./domain/ports/taskStore.ts";
import type { Settings } from "./domain/settings.ts";
import { isFinalTask } from "./domain/states.ts";
import type { Notice, Outcome, Task } from "./domain/task.ts";
import { sendNotices } from "./services/notices/sendNotices.ts";
import { deliverPatch } from "./services/patch-manager/delivery.ts";
import type { PatchDeps, PatchPolicy } from "./services/patch-manager/deps.ts";
import { inverseOf } from "./services/patch-manager/inverseOf.ts";
import { processPatch } from "./services/patch-manager/patchProcessor.ts";
import { remediationOfRun } from "./services/patch-manager/remediation.ts";
import { releaseValidations, type ValidatorOf } from "./services/patch-manager/validators.ts";
import { advance } from "./services/supervision/advance.ts";
import { archiveRun, transcriptKey } from "./services/supervision/archiveRun.ts";
import type { SupervisionDeps } from "./services/supervision/deps.ts";
import { endBlocked } from "./services/supervision/endBlocked.ts";
import { endSuperseded } from "./services/supervision/endSuperseded.ts";
import { followRun } from "./services/supervision/followRun.ts";
import { makeRevert } from "./services/supervision/makeRevert.ts";
import { openGate } from "./services/supervision/openGate.ts";
import { settleRun } from "./services/supervision/settleRun.ts";
import { doorbellOf, startRun } from "./services/supervision/startRun.ts";
import { supervisorLoop } from "./services/supervision/supervisorLoop.ts";
import { afterEnd } from "./services/sweep/afterEnd.ts";
import { wakeNext } from "./services/sweep/wakeNext.ts";

/** The ports that a supervisor stands on; compose.ts gives it the platform's, the simulation its own. */
export type SupervisorPorts = Omit<
  SupervisionDeps,
  "lookAgain" | "remediationOf" | "wakeNext" | "afterEnd" | "sendNotices" | "releaseValidations"
> & {
  tasks: TaskStore;
  patchSets: PatchSetStore;
  notices: NoticeStore;
  callbacks: Callbacks;
  queue: TaskQueue;
  artifacts: Artifacts;
  archives: Archives;
  /** The runner of patches and the forge; null when none is configured. */
  runner: Runner | null;
  forge: Forge | null;
  validatorOf: ValidatorOf;
  policy: PatchPolicy;
  settings: Settings;
  watched(): boolean;
};

/** Wires the use cases that drive the attempts of one task. */
export function superviseWith(ports: SupervisorPorts) {
  const { memory, tasks, queue, artifacts, clock } = ports;
  const supervision = {
    ...ports,
    lookAgain: (task: TaskRef, delaySeconds: number) => queue.send(task, delaySeconds),
    remediationOf: (brief: Brief, because: string) =>
      remediationOfRun(ports, brief, because, clock.nowMs()),
    wakeNext: (freed: { organizationId: string; projectId: string }) => wakeNext(ports, freed),
    afterEnd: (task: Task) => afterEnd(ports, task),
    sendNotices: (notices: readonly Notice[]) => sendNotices(ports, notices),
    releaseValidations: (attempt: Attempt) => releaseValidations(ports.validatorOf, attempt),
  } satisfies SupervisionDeps;
  const patching: PatchDeps = {
    ...supervision,
    doorbellOf: (attempt) => doorbellOf(ports, attempt),
  };
  const steps = {
    gate: openGate(supervision),
    reverting: makeRevert({ ...supervision, inverseOf: (brief) => inverseOf(ports, brief) }),
    starting: startRun(supervision),
    following: followRun(supervision),
    settling: settleRun(supervision),
    patching: processPatch(patching),
    delivering: deliverPatch(patching),
    archiving: archiveRun(supervision),
  };
  const endOf = async (ref: TaskRef): Promise<{ task: string; outcome: Outcome | null } | null> => {
    const task = await tasks.find(ref);
    if (task === null) return { task: "unknown", outcome: null };
    return isFinalTask(task.status) ? { task: task.status, outcome: task.outcome } : null;
  };
  const advancing = {
    ...supervision,
    steps,
    endSuperseded: endSuperseded(supervision),
    endBlocked: (newest: Parameters<typeof endBlocked>[1]) => endBlocked(supervision, newest),
    isOver: async (ref: TaskRef) => (await endOf(ref)) !== null,
  };
  return {
    loop: supervisorLoop({
      ...ports,
      clock,
      advance: (context) => advance(advancing, context),
    }),
    highestFence: () => memory.attempts().at(-1)?.fence ?? 0,
    isIdle: () => memory.attempts().every(({ phase }) => phase === "done"),
    endOf,
    async transcript(ref: TaskRef): Promise<StreamEvent[]> {
      const text = await artifacts.get(transcriptKey(ref.organizationId, ref.taskId));
      return (text ?? "")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as StreamEvent);
    },
  };
}
