import type { PatchFault, PatchSet } from "../../../shared/contracts/aiPatch.ts";
import type { ApprovalReason } from "../../../shared/contracts/patch.ts";
import type { PatchPolicySettings } from "../../../shared/contracts/patchPolicy.ts";
import type { ProjectSettings } from "../../../shared/contracts/project.ts";
import type { FileChange } from "../../../shared/contracts/runner.ts";
import { isAllowedPath } from "../../../shared/patch/allowedPaths.ts";
import { encodeText, isBinary } from "../../../shared/patch/bytes.ts";
import { checkPatchSet } from "../../../shared/patch/check.ts";
import { contentBytes } from "../../../shared/patch/checkFile.ts";
import { byCodeUnit, fileFault, orderFaults } from "../../../shared/patch/faults.ts";
import { lineCount } from "../../../shared/patch/lines.ts";
import { isProtectedPath, pathKey } from "../../../shared/patch/paths.ts";
import { findSecrets } from "../../../shared/secretScan/findSecrets.ts";

/** What holds where a project sets nothing. `changedShare` 1 = a file may be rewritten whole. */
export const defaultApprovalAbove = {
  files: 200,
  bytes: 1_048_576,
  changedLines: 10_000,
  changedShare: 1,
  changedShareFloor: 100,
};

/**
 * Everything that a set is refused for before anything is made of it: its form, its paths, binary content where the
 * project refuses that, secrets. A protected path is none of it: that waits for a person.
 */
export function refusalsOf(
  set: PatchSet,
  settings: ProjectSettings,
  taskPaths: readonly string[] | null,
): PatchFault[] {
  // What a task asks for narrows what its project allows, and never widens it.
  const faults = [taskPaths, settings.allowedPaths ?? null].flatMap((allowedPaths) =>
    checkPatchSet(set, {
      allowProtected: true,
      ...(allowedPaths === null ? {} : { allowedPaths }),
    }),
  );
  const { binary, secretScan } = settings.patchPolicy ?? {};
  if (binary === "refused")
    for (const file of binaryFiles(set))
      faults.push(fileFault(file, "binary_file", "the project takes no new binary content"));
  return orderFaults([...faults, ...findSecrets(set, secretScan ?? {})]);
}

/** Why a set whose tree is made and validated needs a person, by kind and path; empty = it needs none. */
export function approvalReasonsOf(
  set: PatchSet,
  { patchPolicy = {} }: ProjectSettings,
  changes: readonly FileChange[] | null,
): ApprovalReason[] {
  const above = limitsOf(patchPolicy);
  return [
    ...protectedPaths(set, patchPolicy.protectedPaths ?? []),
    ...sizeReasons(set, changes, above),
    ...shareReasons(changes, above),
    ...(patchPolicy.binary === "allowed" ? [] : binaryFiles(set)).map(
      (file): ApprovalReason => ({ code: "binary_file", file, message: "new binary content" }),
    ),
  ];
}

/** Whether an engine has to be told that protected paths may be written. */
export const touchesProtectedPath = (set: PatchSet): boolean =>
  changedPaths(set).some(isProtectedPath);

/** Both ends of a rename; a patch may stand without an entry of its file. */
function changedPaths({ files, patches }: PatchSet): string[] {
  const paths = new Set(patches.map(({ file }) => file));
  for (const [path, { op, from }] of Object.entries(files)) {
    paths.add(path);
    if (op === "rename" && from !== undefined) paths.add(from);
  }
  return [...paths].sort(byCodeUnit);
}

/** The patterns of a project add to the built-in paths, and match in any case, as those do. */
function protectedPaths(set: PatchSet, patterns: readonly string[]): ApprovalReason[] {
  const keys = patterns.map(pathKey);
  return changedPaths(set).flatMap((file) => {
    if (isProtectedPath(file))
      return [{ code: "protected_path", file, message: "a protected path" }];
    return isAllowedPath(pathKey(file), keys)
      ? [{ code: "protected_path", file, message: "a path that the project protects" }]
      : [];
  });
}

type Limits = typeof defaultApprovalAbove;

const limitsOf = ({ approvalAbove = {} }: PatchPolicySettings): Limits => ({
  files: approvalAbove.files ?? defaultApprovalAbove.files,
  bytes: approvalAbove.bytes ?? defaultApprovalAbove.bytes,
  changedLines: approvalAbove.changedLines ?? defaultApprovalAbove.changedLines,
  changedShare: approvalAbove.changedShare ?? defaultApprovalAbove.changedShare,
  changedShareFloor: approvalAbove.changedShareFloor ?? defaultApprovalAbove.changedShareFloor,
});

function sizeReasons(
  set: PatchSet,
  changes: readonly FileChange[] | null,
  limits: Limits,
): ApprovalReason[] {
  const sizes = {
    files: changedPaths(set).length,
    bytes: addedTexts(set).reduce((sum, text) => sum + text.length, 0),
    changedLines: changes === null ? linesOf(set) : countedLines(changes),
  };
  const named = { files: "files", bytes: "bytes added", changedLines: "changed lines" };
  return (["files", "bytes", "changedLines"] as const).flatMap((what) =>
    sizes[what] > limits[what]
      ? [
          {
            code: "too_large",
            file: null,
            message: `${sizes[what]} ${named[what]}, up to ${limits[what]} need nobody`,
          },
        ]
      : [],
  );
}

const countedLines = (changes: readonly FileChange[]): number =>
  changes.reduce((sum, { added, removed }) => sum + (added ?? 0) + (removed ?? 0), 0);

/** What the set itself tells, for a runner that does not count: not how many lines a deleted file had. */
function linesOf(set: PatchSet): number {
  const removed = set.patches.map(({ start, end }) =>
    start === undefined || end === undefined ? 0 : end - start + 1,
  );
  const added = addedTexts(set).map(lineCount);
  return [...removed, ...added].reduce((sum, lines) => sum + lines, 0);
}

function shareReasons(changes: readonly FileChange[] | null, limits: Limits): ApprovalReason[] {
  const { changedShare, changedShareFloor } = limits;
  if (changedShare === 1) return [];
  if (changes === null)
    return [
      { code: "large_share", file: null, message: "the runner does not count changed lines" },
    ];
  return changes.flatMap(({ path, linesBefore, removed }) => {
    const lines = removed ?? 0;
    if (lines <= changedShareFloor || lines <= changedShare * linesBefore) return [];
    const message = `${lines} of its ${linesBefore} lines are removed or replaced`;
    return [{ code: "large_share", file: path, message }];
  });
}

const addedTexts = (set: PatchSet): Uint8Array[] => [
  ...set.patches.map(({ block }) => encodeText(block)),
  ...Object.values(set.files).flatMap(({ content }) => contentOf(content) ?? []),
];

const binaryFiles = (set: PatchSet): string[] =>
  Object.entries(set.files).flatMap(([path, { content }]) => {
    const bytes = contentOf(content);
    return bytes !== null && isBinary(bytes) ? [path] : [];
  });

const contentOf = (content: PatchSet["files"][string]["content"]): Uint8Array | null =>
  content === undefined ? null : contentBytes(content);
