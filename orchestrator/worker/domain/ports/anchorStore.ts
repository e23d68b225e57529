import type { ChainRef, SealHead } from "./auditStore.ts";

/** The head of a chain as it was on a day (UTC, such as 2026-11-21). */
export type Anchor = ChainRef & Pick<SealHead, "number" | "hash"> & { day: string };

/** Heads of chains outside the database, where a written one is never overwritten. */
export type AnchorStore = {
  /** Answers what stands there: the anchor given, or the one that was there before it. */
  place(anchor: Anchor): Promise<Anchor>;
  /** Every anchor of a chain, oldest first. */
  ofChain(chain: ChainRef): Promise<Anchor[]>;
  /** The projects of an organization that have an anchor; "" = no project. */
  projects(organizationId: string): Promise<string[]>;
};
