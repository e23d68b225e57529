import type { ReadFile, TreeFile } from "./treeFile.ts";

/** The tree before the set. Each path is read once, however often it is asked for. */
export type TreeReader = (path: string) => Promise<TreeFile | undefined>;

export function treeReader(readFile: ReadFile): TreeReader {
  const reads = new Map<string, Promise<TreeFile | undefined>>();
  return (path) => {
    const known = reads.get(path);
    if (known !== undefined) return known;
    const read = Promise.resolve(readFile(path));
    reads.set(path, read);
    return read;
  };
}
