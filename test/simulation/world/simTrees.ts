import type { PatchFault, PatchSet } from "../../../shared/contracts/aiPatch.ts";
import { applyPatchSet } from "../../../shared/patch/apply.ts";
import { decodeUtf8, encodeText } from "../../../shared/patch/bytes.ts";
import type { TreeFile } from "../../../shared/patch/treeFile.ts";
import { shaOf } from "./shaOf.ts";
import { firstTree, type Tree } from "./treeChanges.ts";

export type MadeTree =
  | { kind: "made"; treeId: string; tree: Tree }
  | { kind: "refused"; faults: PatchFault[] };

/** The trees of the repositories, by ids that depend on their content alone, as git's do. */
export class SimTrees {
  readonly #trees = new Map<string, Tree>();

  put(tree: Tree): string {
    const sorted = [...tree].sort(([a], [b]) => (a < b ? -1 : 1));
    const treeId = shaOf(JSON.stringify(sorted));
    this.#trees.set(treeId, tree);
    return treeId;
  }

  /** The first one for what nobody has made. */
  of(treeId: string | undefined): Tree {
    return this.#trees.get(treeId ?? "") ?? firstTree;
  }

  /** The same files, under an id of their own. */
  anew(treeId: string): string {
    const made = shaOf(`${treeId} anew`);
    this.#trees.set(made, this.of(treeId));
    return made;
  }

  fileOf(tree: Tree, path: string): TreeFile | undefined {
    const text = tree.get(path);
    return text === undefined ? undefined : { bytes: encodeText(text), mode: "100644" };
  }

  /** What the engine makes of a set on the tree of its base, or of that set on another tree, which it merges with. */
  async apply(set: PatchSet, base: Tree, onto: Tree | null): Promise<MadeTree> {
    const tree = onto ?? base;
    const outcome = await applyPatchSet(
      set,
      (path) => this.fileOf(tree, path),
      { baseIsHead: onto === null, allowProtected: true },
      onto === null ? undefined : (path) => this.fileOf(base, path),
    );
    if (outcome.kind === "refused") return outcome;
    const made = new Map(tree);
    for (const [path, file] of outcome.kind === "applied" ? outcome.files : [])
      if (file === null) made.delete(path);
      else made.set(path, decodeUtf8(file.bytes) ?? "");
    return { kind: "made", treeId: this.put(made), tree: made };
  }
}
