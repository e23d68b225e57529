import type { Guarded } from "./taskStore.ts";

/** Whose lines are chained together: a project's, or those of no project ("") of an organization. */
export type ChainRef = { organizationId: string; projectId: string };

/** One line of `operation_logs`, every value as it is stored. */
export type AuditLine = ChainRef & {
  seq: number;
  id: string;
  subjectId: string;
  actor: string;
  action: string;
  message: string;
  /** JSON text. */
  details: string | null;
  atMs: number;
};

export type SealHead = {
  /** 1, 2, 3 … in its chain; 0 = nothing is sealed yet. */
  number: number;
  lastSeq: number;
  /** SHA-256 in hex; "" = nothing is sealed yet. */
  hash: string;
};

/** A seal over the lines `firstSeq` to `lastSeq`, and by its hash over every seal before it. */
export type Seal = ChainRef &
  SealHead & {
    firstSeq: number;
    /** The SHA-256 of each line, in hex, with spaces between. */
    digests: string;
    sealedAtMs: number;
  };

/** A chain as the sealer finds it. */
export type ChainState = ChainRef & {
  lastSeq: number;
  head: SealHead;
  /** When the oldest line without a seal was written; null = every line has one. */
  unsealedSinceMs: number | null;
  /** The newest head that was put where nobody overwrites it. */
  anchored: { day: string; number: number } | null;
};

/** Where a walk over all chains is; a null project = at the end of the organization. */
export type ChainCursor = { organizationId: string; projectId: string | null };

/** What a verification reads. Nothing is left out: rows that should not be there come too. */
export type AuditReader = {
  /** Every chain of an organization that has a line or a seal. */
  chainsOf(organizationId: string): Promise<ChainRef[]>;
  /** At most `limit` seals with higher numbers than `afterNumber`, lowest first. */
  seals(chain: ChainRef, afterNumber: number, limit: number): Promise<Seal[]>;
  /** Every line with `first` ≤ seq ≤ `last`, lowest first. */
  linesBetween(chain: ChainRef, first: number, last: number): Promise<AuditLine[]>;
  /** At most `limit` lines with a higher seq than `afterSeq`, lowest first. */
  linesAfter(chain: ChainRef, afterSeq: number, limit: number): Promise<AuditLine[]>;
  /** Lines of an organization that are in no chain: there are none unless somebody wrote past the triggers. */
  strays(organizationId: string): Promise<{ subjectId: string; id: string }[]>;
};

/** The audit trail's chains. Throws SwitchyardError. */
export type AuditStore = AuditReader & {
  /** The chains behind `after`, at most `limit` looked at; `next` = where to go on, null at the end. */
  chains(
    after: ChainCursor | null,
    limit: number,
  ): Promise<{ chains: ChainState[]; next: ChainCursor | null }>;
  /** Compare-and-swap: lost = the head of the chain is not the seal with `previousHash` any more. */
  appendSeal(seal: Seal, previousHash: string): Promise<Guarded>;
  /** Notes that a head was anchored for a day; a second note of the same day changes nothing. */
  noteAnchor(chain: ChainRef, day: string, head: Pick<SealHead, "number" | "hash">): Promise<void>;
};
