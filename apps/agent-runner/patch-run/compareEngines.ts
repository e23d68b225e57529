import type { PatchFault } from "../../../shared/contracts/aiPatch.ts";
import type { ApplyOutcome } from "../../../shared/patch/apply.ts";
import { gitBlobId, sha256Hex } from "../../../shared/patch/hashes.ts";
import type { TreeFile } from "../../../shared/patch/treeFile.ts";
import { toDisplay, toText } from "../git/bytePath.ts";
import type { TreeChange } from "../git/worktreeChanges.ts";
import type { PatchManagerOutcome } from "./patchManager.ts";

/** Where the two engines differ in what they answer; null when they agree. */
export async function compareOutcomes(
  ours: ApplyOutcome,
  theirs: PatchManagerOutcome,
): Promise<string | null> {
  if (ours.kind === "applied" && theirs.kind === "applied")
    return differenceOf(await describe(ours.files), new Map(theirs.files.map(said)));
  if (ours.kind === "refused" && theirs.kind === "refused") {
    const [one, other] = [codesOf(ours.faults), codesOf(theirs.faults)];
    if (one !== other) return `TypeScript refuses with ${one}, Python with ${other}`;
    const [our, their] = [placesOf(ours.conflicts), placesOf(theirs.conflicts)];
    return our === their ? null : `TypeScript meets conflicts at ${our}, Python at ${their}`;
  }
  return ours.kind === theirs.kind ? null : `TypeScript says ${ours.kind}, Python ${theirs.kind}`;
}

/** Where the disk, as git sees it, differs from what the TypeScript engine said; null when it does not. */
export async function compareTree(
  files: ReadonlyMap<string, TreeFile | null>,
  changes: readonly TreeChange[],
): Promise<string | null> {
  const expected = new Map<string, string>();
  for (const [path, file] of files)
    expected.set(path, file === null ? "deleted" : `${file.mode} ${await gitBlobId(file.bytes)}`);
  const found = changes.map(({ path, after }) => {
    const name = toText(path) ?? toDisplay(path);
    return [name, after === null ? "deleted" : `${after.mode} ${after.id}`] as const;
  });
  return differenceOf(expected, new Map(found));
}

async function describe(files: ReadonlyMap<string, TreeFile | null>): Promise<Map<string, string>> {
  const described = new Map<string, string>();
  for (const [path, file] of files)
    described.set(path, file === null ? "deleted" : `${file.mode} ${await sha256Hex(file.bytes)}`);
  return described;
}

const said = (
  file: Extract<PatchManagerOutcome, { kind: "applied" }>["files"][number],
): [string, string] => [file.path, file.deleted ? "deleted" : `${file.mode} ${file.sha256}`];

function differenceOf(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string | null {
  for (const path of new Set([...expected.keys(), ...found.keys()])) {
    const [one, other] = [expected.get(path) ?? "unchanged", found.get(path) ?? "unchanged"];
    if (one !== other) return `${path}: TypeScript makes it ${one}, Python ${other}`;
  }
  return null;
}

const placesOf = (conflicts: readonly { file: string; hunks: readonly unknown[] }[] = []): string =>
  JSON.stringify(conflicts.map(({ file, hunks }) => [file, hunks]));

const codesOf = (faults: readonly PatchFault[]): string =>
  faults
    .map(
      ({ index, file, code }) => `${code} (${file ?? "set"}${index === null ? "" : ` #${index}`})`,
    )
    .join(", ");
