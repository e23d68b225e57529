/** What one check has found: rows that break it, the first of them as examples. */
export type DoctorFinding = {
  /** The invariant of docs/operating.md that it is about, such as "I3". */
  invariant: string;
  name: string;
  because: string;
  remedy: string;
  /** How many there are in all; the examples are the first of them. */
  count: number;
  examples: { id: string; detail: string }[];
};

/** An invariant, or a part of one, that no row can show, and who looks after it instead. */
export type NotApplicable = { invariant: string; because: string };

/** Holds the rows of one organization against what must always be so. It reads and changes nothing. */
export type DoctorStore = {
  examine(
    organizationId: string,
    nowMs: number,
  ): Promise<{ findings: DoctorFinding[]; notApplicable: readonly NotApplicable[] }>;
};
