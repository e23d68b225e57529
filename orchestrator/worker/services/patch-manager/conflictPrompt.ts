import type { ReportedConflict } from "../../../../shared/contracts/reportedConflict.ts";

import type { PatchSetRecord } from "../../domain/task.ts";
import type { BadEnd } from "./endPatch.ts";

/** Of all files together, in UTF-16 units. */
const maxShownChars = 16_000;
const maxShownFiles = 20;
const maxShownPlaces = 10;

/** What whoever makes the change again has to know of the branch that has moved, and of what did not fit there. */
export function tellConflicts(
  { ontoCommit }: Pick<PatchSetRecord, "ontoCommit">,
  { conflicts = [] }: Pick<BadEnd, "conflicts">,
): string[] {
  if (ontoCommit === null) return [];
  const where = `The working directory holds the branch as it is now, at ${ontoCommit}: somebody else has committed to it since. Keep what they did.`;
  if (conflicts.length === 0) return [where];
  let left = maxShownChars;
  const told = conflicts.slice(0, maxShownFiles).map((conflict) => {
    const text = tell(conflict, left);
    left = Math.max(0, left - text.length);
    return text;
  });
  const more = conflicts.length - told.length;
  return [where, legend, ...told, ...(more > 0 ? [`And ${more} more files.`] : [])];
}

const legend =
  "Where both changed the same lines: after <<<<<<< stands what is there now, after ||||||| what both began with, after ======= what the earlier change made of it.";

function tell({ file, hunks, marked }: ReportedConflict, left: number): string {
  const places = hunks
    .slice(0, maxShownPlaces)
    .map(({ ours: { start, lines } }) =>
      lines < 2 ? `${start}` : `${start} to ${start + lines - 1}`,
    );
  const at = places.length === 0 ? "" : `, line ${places.join(", ")}`;
  const heading = `${file}${at}:`;
  if (marked === null || marked.length === 0 || left === 0) return heading;
  const shown = marked.length <= left ? marked : `${marked.slice(0, left).toWellFormed()}\n…`;
  return `${heading}\n${shown}`;
}
