import { and, eq, gt, lte } from "drizzle-orm";
import type { NoticeStore } from "../domain/ports/noticeStore.ts";
import { noticeTransitions } from "../domain/states.ts";
import { type Database, reading } from "./guardedBatch.ts";
import { toNotice } from "./rows.ts";
import { notices } from "./schema.ts";

/** Notices in D1. Sending is at least once: a notice that was sent and not marked is sent again, under its id. */
export function d1NoticeStore(db: Database): NoticeStore {
  const pendingById = (organizationId: string, id: string) =>
    and(
      eq(notices.organizationId, organizationId),
      eq(notices.id, id),
      eq(notices.status, noticeTransitions.send.from[0]),
    );

  return {
    due: (nowMs, limit) =>
      reading(async () => {
        const rows = await db
          .select()
          .from(notices)
          .where(lte(notices.nextAttemptAtMs, nowMs))
          .orderBy(notices.nextAttemptAtMs)
          .limit(limit);
        return rows.map(toNotice);
      }),

    markSent: (organizationId, id, nowMs) =>
      reading(async () => {
        await db
          .update(notices)
          .set({ status: noticeTransitions.send.to, sentAtMs: nowMs, nextAttemptAtMs: null })
          .where(pendingById(organizationId, id));
      }),

    postpone: (organizationId, id, attempts, nextAtMs) =>
      reading(async () => {
        const status = nextAtMs === null ? noticeTransitions.give_up.to : "pending";
        await db
          .update(notices)
          .set({ status, attempts, nextAttemptAtMs: nextAtMs })
          .where(pendingById(organizationId, id));
      }),

    inbox: (organizationId, after, limit) =>
      reading(async () => {
        const newer = after === null ? undefined : gt(notices.id, after);
        const rows = await db
          .select()
          .from(notices)
          .where(and(eq(notices.organizationId, organizationId), newer))
          .orderBy(notices.id)
          .limit(limit);
        return rows.map((row) => ({
          ...toNotice(row),
          status: row.status,
          createdAtMs: row.createdAtMs,
        }));
      }),
  };
}
