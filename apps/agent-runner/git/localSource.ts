import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import type { Source } from "../../../shared/contracts/source.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { bundleRepository } from "./bundles.ts";
import { type GitPlace, tryGit } from "./git.ts";

/** A repository on this machine that a run may read. */
export type LocalRepository = {
  path: string;
  git: GitPlace;
  objects: string;
  /** Where the boundary commits of a shallow repository are listed; the file may be absent. */
  shallow: string;
};

export type ResolvedSource = LocalRepository & {
  commit: string;
  /** The branch that the commit was taken from, null when it was named by its id alone. */
  branch: string | null;
};

/** Opens a source if it lies inside one of the roots (real paths) that were named when the runner started. */
export async function openLocalSource(
  source: Source,
  roots: readonly string[],
): Promise<LocalRepository> {
  if (source.kind !== "local")
    throw notAllowed(`This runner works on local repositories, not on ${source.kind} sources.`);
  const path = await realpath(source.path).catch(() => null);
  if (path === null || !roots.some((root) => contains(root, path)))
    throw notAllowed(
      `${source.path} is not inside a directory that the runner was started with (--repo).`,
    );
  const gitDir = findGitDir(path);
  if (gitDir === null) throw notAllowed(`${path} is not the top of a git repository.`);
  return describe(path, { gitDir });
}

/** What a runner may take sources from. */
export type SourceAccess = {
  /** Real paths of directories whose repositories may be read. */
  roots: readonly string[];
  /** Where repositories made of uploaded bundles are. */
  bundles: string | null;
};

/** The commit that a run starts from: the one that is named, else the head of the branch, else HEAD. */
export async function resolveSource(source: Source, access: SourceAccess): Promise<ResolvedSource> {
  const repository = await openSource(source, access);
  if (source.commit !== undefined)
    return { ...repository, commit: await namedCommit(repository, source.commit), branch: null };
  if (source.branch !== undefined)
    return { ...repository, ...(await branchHead(repository, source.branch)) };
  return { ...repository, ...(await currentHead(repository)) };
}

async function openSource(source: Source, access: SourceAccess): Promise<LocalRepository> {
  if (source.kind !== "bundle" || access.bundles === null)
    return openLocalSource(source, access.roots);
  const gitDir = bundleRepository(access.bundles, source.r2);
  if (gitDir === null || !existsSync(gitDir))
    throw unreadable(`No bundle ${source.r2} was uploaded to this runner.`);
  return describe(`bundle ${source.r2}`, { gitDir });
}

/** The id that a full ref name or a commit id stands for; null when there is no such commit. */
export async function readCommit(place: GitPlace, name: string): Promise<string | null> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
  const outcome = await tryGit(place, args);
  return outcome.exitCode === 0 ? outcome.stdout.toString("latin1").trim() : null;
}

async function describe(path: string, place: GitPlace): Promise<LocalRepository> {
  const ask = ["--path-format=absolute", "--git-path", "objects", "--git-path", "shallow"];
  const outcome = await tryGit(place, ["rev-parse", "--show-object-format", ...ask]);
  const [format, objects, shallow] = outcome.stdout.toString("utf8").trimEnd().split("\n");
  if (outcome.exitCode !== 0 || objects === undefined || shallow === undefined)
    throw unreadable(`${path} could not be read as a git repository; try git fsck there.`);
  if (format !== "sha1")
    throw unreadable(`${path} names its objects by ${format}; only SHA-1 repositories are known.`);
  return { path, git: place, objects, shallow };
}

async function namedCommit(repository: LocalRepository, id: string): Promise<string> {
  const commit = await readCommit(repository.git, id);
  if (commit !== null) return commit;
  throw unreadable(`${repository.path} has no commit ${id}; fetch it there, or name another one.`);
}

async function branchHead(repository: LocalRepository, branch: string) {
  const commit = await readCommit(repository.git, `refs/heads/${branch}`);
  if (commit !== null) return { commit, branch };
  throw unreadable(
    `${repository.path} has no branch ${branch}; create it there, or name another one.`,
  );
}

async function currentHead(repository: LocalRepository) {
  const commit = await readCommit(repository.git, "HEAD");
  if (commit === null)
    throw unreadable(`${repository.path} has no commit yet; make a first commit there.`);
  const ref = await tryGit(repository.git, ["symbolic-ref", "--quiet", "--short", "HEAD"]);
  const branch = ref.exitCode === 0 ? ref.stdout.toString("utf8").trim() : null;
  return { commit, branch };
}

/** A `.git` may be a directory or, in a linked worktree, a file that names one. */
function findGitDir(path: string): string | null {
  if (existsSync(join(path, ".git"))) return join(path, ".git");
  const isBare = existsSync(join(path, "HEAD")) && existsSync(join(path, "objects"));
  return isBare ? path : null;
}

function contains(root: string, path: string): boolean {
  const inside = relative(root, path);
  return inside !== ".." && !inside.startsWith("../") && !isAbsolute(inside);
}

const notAllowed = (message: string) => new SwitchyardError("source_not_allowed", message);
const unreadable = (message: string) => new SwitchyardError("source_unreadable", message);
