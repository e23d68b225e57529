import { type GitPlace, gitLine, tryGit } from "./git.ts";

/** Whether a commit is another one, or in its history. One that is not there is in no history. */
export async function isAncestor(
  place: GitPlace,
  earlier: string,
  commit: string,
): Promise<boolean> {
  const args = ["merge-base", "--is-ancestor", earlier, commit];
  return (await tryGit(place, args)).exitCode === 0;
}

/** The id of a commit's tree. */
export const treeOf = (place: GitPlace, commit: string): Promise<string> =>
  gitLine(place, ["rev-parse", "--verify", "--end-of-options", `${commit}^{tree}`]);
