import { shaOf } from "./shaOf.ts";

/** What trees hold: not files, but who changed something. Equal changes make equal trees, in whatever order. */
export class SimTrees {
  readonly #changes = new Map<string, ReadonlySet<string>>();

  /** The changes in a tree; of one that nobody has made here there are none. */
  of(treeId: string | null): ReadonlySet<string> {
    return this.#changes.get(treeId ?? "") ?? none;
  }

  /** The tree with one more change in it. */
  with(treeId: string | null, change: string): string {
    const changes = new Set([...this.of(treeId), change]);
    const made = shaOf(`tree of ${[...changes].sort().join(", ")}`);
    this.#changes.set(made, changes);
    return made;
  }

  /** The same changes, told by other bytes. */
  anew(treeId: string): string {
    const made = shaOf(`${treeId} anew`);
    this.#changes.set(made, this.of(treeId));
    return made;
  }
}

const none: ReadonlySet<string> = new Set();
