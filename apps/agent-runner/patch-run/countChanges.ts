import type { FileChange } from "../../../shared/contracts/runner.ts";
import { lineCount } from "../../../shared/patch/lines.ts";
import { splitNul, toDisplay } from "../git/bytePath.ts";
import { type GitPlace, git } from "../git/git.ts";
import { readBlobs, submoduleMode } from "../git/objects.ts";

/** What a tree does to the lines of each file of a commit, as git counts them. */
export async function countChanges(
  place: GitPlace,
  commit: string,
  treeId: string,
): Promise<FileChange[]> {
  const diff = async (form: string) =>
    splitNul(await git(place, ["diff-tree", "-r", "-z", "-M", form, ...quiet, commit, treeId]));
  const sources = sourcesIn(await diff("--raw"));
  const counts = countsIn(await diff("--numstat"));
  const blobs = await readBlobs(place, [...sources.values()]);
  return counts.map(({ path, added, removed }) => {
    const before = blobs.get(sources.get(path) ?? "");
    return {
      path: toDisplay(path),
      linesBefore: before === undefined ? 0 : lineCount(before),
      added,
      removed,
    };
  });
}

const quiet = ["--no-ext-diff", "--no-textconv"];

/** The blob before of each path: records of `:modes ids status` and a path, of a rename two. */
function sourcesIn(records: readonly string[]): Map<string, string> {
  const sources = new Map<string, string>();
  for (let at = 0; at < records.length; at += 1) {
    const [mode = "", , id = "", , status = ""] = (records[at] ?? "").slice(1).split(" ");
    at += status.startsWith("R") ? 2 : 1;
    if (!/^0+$/.test(id) && mode !== submoduleMode) sources.set(records[at] ?? "", id);
  }
  return sources;
}

type Count = { path: string; added: number | null; removed: number | null };

/** `added TAB removed TAB path`; of a rename the path is empty and its two paths follow. */
function countsIn(records: readonly string[]): Count[] {
  const counts: Count[] = [];
  for (let at = 0; at < records.length; at += 1) {
    const [added = "", removed = "", name = ""] = (records[at] ?? "").split("\t");
    if (name === "") at += 2;
    const path = name === "" ? (records[at] ?? "") : name;
    counts.push({ path, added: numberOf(added), removed: numberOf(removed) });
  }
  return counts;
}

/** Git says `-` for a binary file. */
const numberOf = (text: string): number | null => (text === "-" ? null : Number(text));
