import type { PatchFault, PatchSet } from "../../../shared/contracts/aiPatch.ts";
import { applyPatchSet } from "../../../shared/patch/apply.ts";
import { decodeUtf8, encodeText } from "../../../shared/patch/bytes.ts";
import type { TreeFile } from "../../../shared/patch/treeFile.ts";
import { shaOf } from "./simForge.ts";

/** What a commit holds: text files by their paths. */
export type Tree = ReadonlyMap<string, string>;

const lineCount = 4;
const lineOf = (at: number, by: string) => `export const line${at} = "${by}";\n`;

/** Few files of few lines: patches of one order meet now and then. */
const firstTree: Tree = new Map(
  ["src/a.js", "src/b.js"].map((path) => [
    path,
    Array.from({ length: lineCount }, (_, at) => lineOf(at + 1, path)).join(""),
  ]),
);

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

  /** The same files are there under another id, too. */
  alias(treeId: string, known: string): void {
    this.#trees.set(treeId, this.of(known));
  }

  fileOf(tree: Tree, path: string): TreeFile | undefined {
    const text = tree.get(path);
    return text === undefined ? undefined : { bytes: encodeText(text), mode: "100644" };
  }

  /** The id of a tree after a change that is somebody's own. */
  changedBy(who: string, tree: Tree): string {
    const change = changeBy(who);
    if ("create" in change) return this.put(new Map([...tree, [change.path, change.create]]));
    const lines = linesOf(tree.get(change.path));
    lines[change.line - 1] = change.block;
    return this.put(new Map([...tree, [change.path, lines.join("")]]));
  }

  /** What the engine makes of a set on the tree of its base. */
  async apply(
    base: Tree,
    set: PatchSet,
  ): Promise<{ kind: "made"; treeId: string } | { kind: "refused"; faults: PatchFault[] }> {
    const outcome = await applyPatchSet(set, (path) => this.fileOf(base, path), {
      baseIsHead: true,
      allowProtected: true,
    });
    if (outcome.kind === "refused") return outcome;
    const made = new Map(base);
    for (const [path, file] of outcome.kind === "applied" ? outcome.files : [])
      if (file === null) made.delete(path);
      else made.set(path, decodeUtf8(file.bytes) ?? "");
    return { kind: "made", treeId: this.put(made) };
  }
}

/** What somebody leaves who works on a tree: one line of a file is his, or a file of his own is new. */
export function changeBy(
  who: string,
): { path: string; create: string } | { path: string; line: number; block: string } {
  const drawn = Number.parseInt(shaOf(who).slice(0, 8), 16);
  if (drawn % 5 === 0) return { path: `src/of ${who}.js`, create: `export const by = "${who}";\n` };
  const line = (Math.floor(drawn / 10) % lineCount) + 1;
  return { path: drawn % 2 === 0 ? "src/a.js" : "src/b.js", line, block: lineOf(line, who) };
}

/** Each with its newline. */
export const linesOf = (text: string | undefined): string[] => text?.match(/[^\n]*\n/g) ?? [];
