import { type GitPlace, tryGit } from "./git.ts";

/** Whether a commit is another one, or in its history. One that is not there is in no history. */
export async function isAncestor(
  place: GitPlace,
  earlier: string,
  commit: string,
): Promise<boolean> {
  const args = ["merge-base", "--is-ancestor", earlier, commit];
  return (await tryGit(place, args)).exitCode === 0;
}
