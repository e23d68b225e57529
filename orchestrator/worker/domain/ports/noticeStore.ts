import type { NoticeStatus } from "../states.ts";
import type { Notice } from "../task.ts";

export type NoticeStore = {
  due(nowMs: number, limit: number): Promise<Notice[]>;
  markSent(organizationId: string, id: string, nowMs: number): Promise<void>;
  /** A try that failed: how many there were, and when the next one is; null gives up. */
  postpone(
    organizationId: string,
    id: string,
    attempts: number,
    nextAtMs: number | null,
  ): Promise<void>;
  /** The notices of an organization, oldest first, after the one with this id. */
  inbox(
    organizationId: string,
    after: string | null,
    limit: number,
  ): Promise<(Notice & { status: NoticeStatus; createdAtMs: number })[]>;
};
