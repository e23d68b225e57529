import type { NoticeStore } from "../../../orchestrator/worker/domain/ports/noticeStore.ts";
import { noticeTransitions } from "../../../orchestrator/worker/domain/states.ts";
import { byText, putNotice } from "./put.ts";
import { idKey, type NoticeRow, type Tables } from "./tables.ts";
import { commit } from "./writes.ts";

/** Notices in memory. */
export function memoryNoticeStore(tables: Tables): NoticeStore {
  const change = (organizationId: string, id: string, changes: (row: NoticeRow) => NoticeRow) => {
    const row = tables.notices.get(idKey(organizationId, id));
    if (row?.status !== noticeTransitions.send.from[0]) return;
    putNotice(tables, changes(row));
    commit(tables);
  };

  return {
    async due(nowMs, limit) {
      const due: NoticeRow[] = [];
      for (const row of tables.index.pendingNotices.values())
        if (row.nextAttemptAtMs !== null && row.nextAttemptAtMs <= nowMs) due.push(row);
      return due
        .sort(byTime)
        .slice(0, limit)
        .map(({ notice }) => notice);
    },

    async markSent(organizationId, id, nowMs) {
      const { to: status } = noticeTransitions.send;
      const columns = { status, sentAtMs: nowMs, nextAttemptAtMs: null };
      change(organizationId, id, (row) => ({ ...row, ...columns }));
    },

    async postpone(organizationId, id, attempts, nextAttemptAtMs) {
      const status = nextAttemptAtMs === null ? noticeTransitions.give_up.to : "pending";
      change(organizationId, id, (row) => ({
        ...row,
        notice: { ...row.notice, attempts },
        status,
        nextAttemptAtMs,
      }));
    },

    async inbox(organizationId, after, limit) {
      return [...tables.notices.values()]
        .filter(
          ({ notice }) =>
            notice.organizationId === organizationId && (after === null || notice.id > after),
        )
        .sort((a, b) => byText(a.notice.id, b.notice.id))
        .slice(0, limit)
        .map(({ notice, status, createdAtMs }) => ({ ...notice, status, createdAtMs }));
    },
  };
}

const byTime = (a: NoticeRow, b: NoticeRow): number =>
  (a.nextAttemptAtMs ?? 0) - (b.nextAttemptAtMs ?? 0) ||
  byText(a.notice.organizationId, b.notice.organizationId) ||
  byText(a.notice.id, b.notice.id);
