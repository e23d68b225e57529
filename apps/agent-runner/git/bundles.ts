import { mkdtemp, rename } from "node:fs/promises";
import { join } from "node:path";
import { SwitchyardError } from "../../../shared/errors.ts";
import { removeTree } from "../state/removeTree.ts";
import { type GitPlace, git, lastLine, tryGit } from "./git.ts";

const safeName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;

/** The repository that a bundle of this name becomes; null when no bundle can have the name. */
export const bundleRepository = (folder: string, name: string): string | null =>
  safeName.test(name) ? join(folder, `${name}.git`) : null;

/**
 * Makes a bare repository of the branches in a bundle. Every object is looked at on the way in, since whoever
 * wrote the bundle may have wished for one that does harm to a checkout.
 */
export async function unpackBundle(folder: string, name: string, file: string): Promise<void> {
  const gitDir = bundleRepository(folder, name);
  if (gitDir === null) throw new SwitchyardError("invalid_request", "A bundle needs a plain name.");
  const draft = await mkdtemp(join(folder, ".unpacking-"));
  try {
    await fillFrom({ gitDir: draft }, file);
    await removeTree(gitDir);
    await rename(draft, gitDir);
  } finally {
    await removeTree(draft);
  }
}

/** A file with one branch of a repository: the named one, or one of our own at the commit. */
export async function writeBundle(
  place: GitPlace,
  { commit, branch }: { commit: string; branch: string | null },
  file: string,
): Promise<void> {
  const ref = `refs/heads/${branch ?? "switchyard-base"}`;
  await git(place, ["update-ref", ref, commit]);
  await git(place, ["bundle", "create", "--quiet", file, ref], { timeLimitMs: 600_000 });
}

async function fillFrom(repository: GitPlace, file: string): Promise<void> {
  await git(repository, ["init", "--quiet", "--bare", "--template=", "--object-format=sha1"]);
  const fetched = await tryGit(
    repository,
    [
      ...["-c", "fetch.fsckObjects=true", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"],
      ...[file, "refs/heads/*:refs/heads/*"],
    ],
    { protocols: "file", timeLimitMs: 600_000 },
  );
  if (fetched.exitCode === 0) return;
  throw new SwitchyardError(
    "source_unreadable",
    `The bundle could not be read (${lastLine(fetched.stderr)}).`,
  );
}
