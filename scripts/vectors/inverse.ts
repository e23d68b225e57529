import { applyPatchInput, type TreeFile } from "../../shared/patch/apply.ts";
import { equalBytes } from "../../shared/patch/bytes.ts";
import { directoriesOf } from "../../shared/patch/paths.ts";
import type { EngineOutcome } from "./engines.ts";
import type { Vector } from "./vectorFile.ts";

/**
 * Why the inverse set does not give the tree of a vector back; null when it does, and for a tree that no disk holds,
 * with a file in a file.
 */
export async function inverseDisagreement(
  { tree }: Vector,
  outcome: EngineOutcome,
): Promise<string | null> {
  if (outcome.kind !== "applied" || holdsFileInFile(tree)) return null;
  const after = patched(tree, outcome.files);
  const policy = { allowProtected: true };
  const back = await applyPatchInput(outcome.inverse, (path) => after.get(path), policy);
  if (back.kind === "already_applied") return sameTree(tree, after);
  if (back.kind === "refused")
    return `the inverse is refused: ${back.faults.map(({ code }) => code).join(" ")}`;
  const restored = new Map(after);
  for (const [path, file] of back.files) {
    if (file === null) restored.delete(path);
    else restored.set(path, file);
  }
  return sameTree(tree, restored);
}

function holdsFileInFile(tree: Vector["tree"]): boolean {
  return [...tree.keys()].some((path) => directoriesOf(path).some((above) => tree.has(above)));
}

function patched(
  tree: Vector["tree"],
  files: Extract<EngineOutcome, { kind: "applied" }>["files"],
): Map<string, TreeFile> {
  const after = new Map(tree);
  for (const [path, file] of Object.entries(files)) {
    if (file === null) after.delete(path);
    else
      after.set(path, {
        bytes: Buffer.from(file.base64, "base64"),
        mode: file.mode as TreeFile["mode"],
      });
  }
  return after;
}

function sameTree(expected: Vector["tree"], actual: ReadonlyMap<string, TreeFile>): string | null {
  for (const path of new Set([...expected.keys(), ...actual.keys()])) {
    const [one, other] = [expected.get(path), actual.get(path)];
    const isSame = one?.mode === other?.mode && equalBytes(bytesOf(one), bytesOf(other));
    if (!isSame) return `the inverse does not give ${JSON.stringify(path)} back`;
  }
  return null;
}

const bytesOf = (file: TreeFile | undefined): Uint8Array => file?.bytes ?? new Uint8Array(0);
