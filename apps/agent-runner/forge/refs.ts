import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MoveRefAnswer } from "../../../shared/contracts/forgeRefs.ts";
import { isSafeBranchName } from "../../../shared/contracts/source.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { isAncestor } from "../git/ancestry.ts";
import { git, gitLine, lastLine, tryGit } from "../git/git.ts";
import type { LocalRepository } from "../git/localSource.ts";

export type RefMove = { ref: string; from: string | null; to: string };

const absent = "0".repeat(40);

/** What a full ref name stands for; null when there is no such ref. */
export async function readRef(repository: LocalRepository, ref: string): Promise<string | null> {
  checkRefName(ref, "refs/");
  const args = ["for-each-ref", "--format=%(refname) %(objectname)", "--", ref];
  const outcome = await tryGit(repository.git, args);
  if (outcome.exitCode !== 0) throw refused(`${ref} could not be read`, outcome.stderr);
  const lines = outcome.stdout.toString("utf8").split("\n");
  return lines.find((line) => line.startsWith(`${ref} `))?.slice(ref.length + 1) ?? null;
}

/** Moves a branch only if it is where the caller thinks it is. No hook runs, and no work tree is touched. */
export async function moveRef(
  repository: LocalRepository,
  { ref, from, to }: RefMove,
): Promise<MoveRefAnswer> {
  checkRefName(ref, "refs/heads/");
  if ((await checkedOutRefs(repository)).has(ref))
    throw new SwitchyardError(
      "branch_checked_out",
      `${ref} is checked out in ${repository.path}; switch to another branch there.`,
    );
  const args = ["update-ref", "--no-deref", "--create-reflog", "-m", "switchyard: delivery"];
  const outcome = await tryGit(repository.git, [...args, ref, to, from ?? absent], {
    env: { GIT_COMMITTER_NAME: "Switchyard", GIT_COMMITTER_EMAIL: "delivery@switchyard.invalid" },
  });
  if (outcome.exitCode === 0) return { kind: "moved" };
  const current = await readRef(repository, ref);
  if (current !== from)
    return (await isBehind(repository, to, current))
      ? { kind: "lost", current, contains: true }
      : { kind: "lost", current };
  await refuseIfInTheWay(repository, ref);
  throw refused(`${ref} could not be moved`, outcome.stderr);
}

/** Whether what a branch is at goes on from a commit: then an earlier move had worked, and somebody went on. */
const isBehind = async (
  { git: place }: LocalRepository,
  commit: string,
  current: string | null,
): Promise<boolean> =>
  current !== null && current !== commit && (await isAncestor(place, commit, current));

/** A ref is a file or a folder, even where it is stored otherwise: nothing can be above or below another ref. */
async function refuseIfInTheWay(repository: LocalRepository, ref: string): Promise<void> {
  const listing = await git(repository.git, ["for-each-ref", "--format=%(refname)", "refs/heads/"]);
  const other = listing
    .toString("utf8")
    .split("\n")
    .find((name) => name !== "" && (ref.startsWith(`${name}/`) || name.startsWith(`${ref}/`)));
  if (other === undefined) return;
  throw new SwitchyardError(
    "branch_in_the_way",
    `A branch named ${branchOf(other)} stands in the way of ${branchOf(ref)}; rename it in ${repository.path}.`,
  );
}

const branchOf = (ref: string): string => ref.slice("refs/heads/".length);

/** Branches that some work tree stands on, born or not, or will go back to when its rebase or bisect is over. */
async function checkedOutRefs(repository: LocalRepository): Promise<Set<string>> {
  const listing = await git(repository.git, ["worktree", "list", "--porcelain"]);
  const branches = listing.toString("utf8").match(/(?<=^branch ).*$/gm) ?? [];
  const common = await gitLine(repository.git, [
    ...["rev-parse", "--path-format=absolute", "--git-common-dir"],
  ]);
  const linked = await readdir(join(common, "worktrees")).catch(() => []);
  const gitDirs = [common, ...linked.map((name) => join(common, "worktrees", name))];
  const paused = await Promise.all(gitDirs.flatMap((gitDir) => pausedBranches(gitDir)));
  return new Set([...branches, ...paused.flat()]);
}

const pausedBranches = (gitDir: string): Promise<string[]>[] =>
  ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"].map(async (name) => {
    const text = await readFile(join(gitDir, name), "utf8").catch(() => "");
    return text === "" ? [] : [text.trim(), `refs/heads/${text.trim()}`];
  });

function checkRefName(ref: string, prefix: string): void {
  const name = ref.slice(prefix.length);
  if (ref.startsWith(prefix) && name !== "" && isSafeBranchName(name)) return;
  throw new SwitchyardError("invalid_request", `ref: must be a full name like ${prefix}…`);
}

const refused = (what: string, stderr: string): SwitchyardError =>
  new SwitchyardError("internal", `${what}: ${lastLine(stderr)}`);
