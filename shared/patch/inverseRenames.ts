import { equalBytes } from "./bytes.ts";
import type { FileStates } from "./invert.ts";
import { isEditable } from "./wholeFile.ts";

/** What a set renamed. */
export type RenamePair = { from: string; to: string };

/**
 * The renames that can be taken back as renames. The others are taken back by what their files hold: where another
 * file stands at the old path by now, where one stood at the new path that does not return by a rename, and where
 * patches cannot say the difference.
 */
export function invertibleRenames(
  renames: readonly RenamePair[],
  states: FileStates,
): readonly RenamePair[] {
  let kept = renames.filter((pair) => isSayable(pair, states));
  for (;;) {
    const vacated = new Set(kept.map(({ to }) => to));
    const refilled = new Set(kept.map(({ from }) => from));
    const fitting = kept.filter(
      ({ from, to }) =>
        (states.after(from) === null || vacated.has(from)) &&
        (states.before(to) === null || refilled.has(to)),
    );
    if (fitting.length === kept.length) return kept;
    kept = fitting;
  }
}

function isSayable({ from, to }: RenamePair, states: FileStates): boolean {
  const [now, then] = [states.after(to), states.before(from)];
  if (now === null || then === null) return false;
  return equalBytes(now.bytes, then.bytes) || isEditable(now.bytes, then.bytes);
}
