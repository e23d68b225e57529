import { maxNoticeAttempts, noticeDelayMs } from "../../domain/backoff.ts";
import { stands } from "../../domain/guards.ts";
import type { Callbacks } from "../../domain/ports/callbacks.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import type { NoticeStore } from "../../domain/ports/noticeStore.ts";
import type { Notice } from "../../domain/task.ts";

export type NoticeDeps = { notices: NoticeStore; callbacks: Callbacks; clock: Clock; log: Log };

const maxNoticesPerTick = 100;

/** Sends what is due. A notice that was sent and could not be marked goes out again under the same id. */
export async function sendDueNotices(deps: NoticeDeps): Promise<number> {
  if (!stands("notice_resent")) return 0;
  const due = await deps.notices.due(deps.clock.nowMs(), maxNoticesPerTick);
  for (const notice of due) await sendNotice(deps, notice);
  return due.length;
}

/** Tells of an end as soon as it is written; what fails here waits for the sweep. */
export async function sendNotices(deps: NoticeDeps, notices: readonly Notice[]): Promise<void> {
  for (const notice of notices) if (notice.channel === "callback") await sendNotice(deps, notice);
}

async function sendNotice(deps: NoticeDeps, notice: Notice): Promise<void> {
  const { organizationId, id } = notice;
  try {
    const answer = await deps.callbacks.send(notice);
    const nowMs = deps.clock.nowMs();
    if (answer.kind === "delivered") return await deps.notices.markSent(organizationId, id, nowMs);
    const attempts = notice.attempts + 1;
    const nextAtMs = attempts >= maxNoticeAttempts ? null : nowMs + noticeDelayMs(attempts);
    deps.log.warn("notice.not_delivered", { id, attempts, because: answer.because });
    await deps.notices.postpone(organizationId, id, attempts, nextAtMs);
  } catch (error) {
    deps.log.warn("notice.not_marked", { id, error });
  }
}
