import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SwitchyardError } from "../../../shared/errors.ts";
import { createBaseRepository, writeRawByteRules } from "../git/baseRepository.ts";
import { type GitPlace, git, lastLine, tryGit } from "../git/git.ts";
import type { ResolvedSource } from "../git/localSource.ts";
import { removeTree } from "../state/removeTree.ts";

export type WorkspaceRequest = {
  source: ResolvedSource;
  /** For the runner's own repository, which is gone again when this is done. */
  baseGitDir: string;
  workspace: string;
  signal: AbortSignal;
};

const baseRef = "refs/heads/base";

/**
 * Makes a clone for the agent, with its history and a `.git` of its own, byte for byte what the commit holds. It
 * shares no file with the source. Returns how many files it has.
 */
export async function prepareWorkspace(request: WorkspaceRequest): Promise<number> {
  const { source, workspace } = request;
  const base = await createBaseRepository(request.baseGitDir, source);
  await git(base, ["update-ref", baseRef, source.commit]);
  await removeTree(workspace);
  await mkdir(workspace, { recursive: true, mode: 0o700 });
  const clone = { gitDir: join(workspace, ".git"), workTree: workspace };
  await git(clone, ["init", "--quiet", "--template=", "--object-format=sha1"]);
  await writeRawByteRules(clone.gitDir);
  await configure(clone);
  await fetchBase(clone, request);
  const target = source.branch === null ? ["--detach"] : ["-B", source.branch];
  await git(clone, ["checkout", "--quiet", ...target, source.commit], limits(request));
  const listing = await git(clone, ["ls-files", "-z"]);
  await removeTree(request.baseGitDir);
  return listing.toString("latin1").split("\0").length - 1;
}

/** What is missing in the source (a partial clone, a damaged one) comes to light here. */
async function fetchBase(clone: GitPlace, request: WorkspaceRequest): Promise<void> {
  const args = ["fetch", "--quiet", "--no-tags", "--update-shallow", "--no-write-fetch-head"];
  const outcome = await tryGit(
    clone,
    [...args, request.baseGitDir, `${baseRef}:refs/switchyard/base`],
    { ...limits(request), protocols: "file" },
  );
  if (outcome.exitCode === 0) return;
  throw new SwitchyardError(
    "source_unreadable",
    `${request.source.path} could not be cloned (${lastLine(outcome.stderr)}); try git fsck there.`,
  );
}

/** An agent that commits needs a name; one that pushes finds no remote. */
async function configure(clone: GitPlace): Promise<void> {
  const settings = {
    "core.autocrlf": "false",
    "user.name": "Switchyard agent",
    "user.email": "agent@switchyard.invalid",
  };
  for (const [name, value] of Object.entries(settings)) await git(clone, ["config", name, value]);
}

const limits = ({ signal }: WorkspaceRequest) => ({ signal, timeLimitMs: 900_000 });
