import type { ChainRef } from "./ports/auditStore.ts";

/** What a verification can find, and what it means for a person. */
export const auditFaultKinds = {
  line_changed: "a line is not as it was when it was sealed",
  line_removed: "a line is not there any more",
  line_inserted: "a line is there that nobody sealed in that place",
  seal_changed: "a seal is not as it was made, or the chain before it was made anew",
  seal_removed: "a seal is not there any more",
  chain_cut: "the end of the chain was cut off",
  chain_rewritten: "the chain was made anew from somewhere on",
} as const;
export type AuditFaultKind = keyof typeof auditFaultKinds;

export type AuditFault = ChainRef & {
  kind: AuditFaultKind;
  /** Which line or seal, such as "line 12", "lines 3-9", "seal 2". */
  where: string;
  message: string;
};

/** A head that stands outside the database: of an anchor, or of a commit's trailer. */
export type Evidence = {
  /** Such as "the anchor of 2026-11-21". */
  source: string;
  projectId: string;
  number: number;
  hash: string;
};

export type ChainReport = ChainRef & {
  /** Lines that are there, and seals. */
  lines: number;
  seals: number;
  /** Lines behind the last seal. */
  unsealed: number;
  head: { number: number; hash: string };
  /** How many heads outside the database were held against it. */
  evidence: number;
  /** The first of them; `faultCount` says how many there are. */
  faults: AuditFault[];
  faultCount: number;
};
