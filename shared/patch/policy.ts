/** What a caller decides about a patch set, beyond what the set says of itself. */
export type PatchPolicy = {
  /** Paths, directories or `*` and `**` patterns that a set may change; absent = every path. */
  allowedPaths?: readonly string[];
  /** True when the files that are read are those of `base.commit`: then a patch needs no guard. */
  baseIsHead?: boolean;
  limits?: PatchLimits;
  /** True once a person has approved the set. */
  allowProtected?: boolean;
};

export type PatchLimits = {
  /** Bytes of all blocks and contents together. */
  patchBytes?: number;
  files?: number;
  /** Lines removed and lines added, together. */
  changedLines?: number;
};

/** They hold where a caller sets none, so that no input is without a bound. */
const defaultLimits: Required<PatchLimits> = {
  patchBytes: 33_554_432,
  files: 10_000,
  changedLines: 2_000_000,
};

export function limitsOf(policy: PatchPolicy): Required<PatchLimits> {
  return policy.limits === undefined ? defaultLimits : { ...defaultLimits, ...policy.limits };
}
