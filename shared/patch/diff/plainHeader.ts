import { malformedDiff } from "../hunkReader.ts";
import type { ReadHeader } from "./diffHeader.ts";
import { emptyHeader } from "./fileDiff.ts";
import { guessedStrip, noFile, sideName } from "./headerNames.ts";
import { headerText } from "./quotedPath.ts";

const usualStrip = 1;

/** Reads the `---` and `+++` lines of a diff that git did not write. `strip` is what an earlier one made certain. */
export function readPlainHeader(
  lines: readonly Uint8Array[],
  at: number,
  strip: number | null,
): ReadHeader & { strip: number | null } {
  const [first, second] = [at, at + 1].map((index) =>
    headerText(lines[index] ?? new Uint8Array(0)).slice("--- ".length),
  ) as [string, string];
  const known = strip ?? guessedStrip(first, second);
  const [oldName, newName] = [first, second].map((header) => sideName(header, known ?? usualStrip));
  const isNew = oldName === noFile || isEpoch(first);
  const isDeleted = !isNew && (newName === noFile || isEpoch(second));
  const name = shorter(
    typeof oldName === "string" ? oldName : null,
    typeof newName === "string" ? newName : null,
  );
  if (name === null) throw malformedDiff(at, "it does not say which file it is of");
  const sides = { oldName: isNew ? null : name, newName: isDeleted ? null : name };
  return { header: { ...emptyHeader, ...sides, isNew, isDeleted }, next: at + 2, strip: known };
}

/** Of `file` and `file.orig` the file is meant. */
function shorter(first: string | null, second: string | null): string | null {
  if (first !== null && second?.startsWith(first)) return first;
  return second ?? first;
}

/** Some tools date a file that is not there to the beginning of time. */
function isEpoch(header: string): boolean {
  const match = /\t(1969-12-31|1970-01-01) (\d\d):(\d\d):00(?:\.0+)? ([+-])(\d\d):?(\d\d)$/.exec(
    header,
  );
  if (match === null) return false;
  const [, day, hours = "", minutes = "", sign, zoneHours = "", zoneMinutes = ""] = match;
  const local = Number(hours) * 60 + Number(minutes) - (day === "1969-12-31" ? 1_440 : 0);
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === "-" ? -1 : 1);
  return local === zone;
}
