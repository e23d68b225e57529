import type { CommitRequest } from "../../../shared/contracts/forgeRefs.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { type GitPlace, git, gitLine, tryGit } from "../git/git.ts";
import { type LocalRepository, readCommit } from "../git/localSource.ts";

/**
 * Makes the commit of a tree in a repository: its objects and itself, and no ref. Everything that goes into its
 * id comes with the request, so to ask again gives the same commit again.
 */
export async function makeCommit(
  repository: LocalRepository,
  objects: GitPlace,
  request: CommitRequest,
): Promise<string> {
  const { treeId, parent, message, author, atMs } = request;
  if ((await readCommit(repository.git, parent)) === null)
    throw new SwitchyardError("invalid_request", `${repository.path} has no commit ${parent}.`);
  await moveObjects(objects, repository.git, treeId, parent);
  const date = `${Math.floor(atMs / 1000)} +0000`;
  return gitLine(repository.git, ["commit-tree", "-p", parent, "-F", "-", treeId], {
    stdin: message,
    env: {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
      GIT_COMMITTER_DATE: date,
    },
  });
}

/**
 * Only what the repository does not have through the parent; to move it twice does no harm. The project's own
 * commands ran beside these objects, so that all of the tree has arrived is looked at and not assumed.
 */
async function moveObjects(
  from: GitPlace,
  to: GitPlace,
  treeId: string,
  parent: string,
): Promise<void> {
  const has = await tryGit(from, ["cat-file", "-e", `${treeId}^{tree}`]);
  if (has.exitCode !== 0)
    throw new SwitchyardError("invalid_request", `The patch run does not hold the tree ${treeId}.`);
  const pack = await git(from, ["pack-objects", "--quiet", "--revs", "--stdout"], {
    stdin: `${treeId}\n^${parent}\n`,
  });
  await git(to, ["unpack-objects", "-q"], { stdin: pack });
  await git(to, ["rev-list", "--objects", "--quiet", treeId, `^${parent}`]);
}
