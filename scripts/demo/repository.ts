import { execFile } from "node:child_process";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { makeFailingRepo } from "../../apps/scripted-model/sampleRepos.mjs";
import { UsageError } from "./options.ts";

const run = promisify(execFile);

/** Git as a person would call it in that folder, with nobody's hooks and no pager. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await run("git", ["-c", "core.hooksPath=/dev/null", ...args], {
    cwd: folder,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trimEnd();
}

/** A small shop with a test that fails, as a repository with one commit. */
export async function makeDemoRepository(folder: string): Promise<void> {
  makeFailingRepo(folder);
  await git(folder, "init", "--quiet", "--initial-branch=main");
  await git(folder, "add", "--all");
  const who = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com"];
  await git(folder, ...who, "commit", "--quiet", "--message", "Shipping rates of the shop");
}

/** The top of a person's own repository; refused when it is none, or has no commit yet. */
export async function openOwnRepository(folder: string): Promise<string> {
  const there = await stat(folder).catch(() => null);
  if (!there?.isDirectory()) throw new UsageError(`--repo: there is no folder ${folder}.`);
  try {
    await git(folder, "rev-parse", "--verify", "HEAD^{commit}");
    return await realpath(await git(folder, "rev-parse", "--show-toplevel"));
  } catch (cause) {
    throw new UsageError(`--repo: ${folder} is not a git repository with a commit.`, { cause });
  }
}

/** What must not change: everything that git says of the repository, but for the branches of orders. */
export async function fingerprint(folder: string): Promise<string> {
  const refs = await git(folder, "for-each-ref", "--format=%(refname) %(objectname)");
  const kept = refs.split("\n").filter((line) => !line.startsWith("refs/heads/factory/"));
  const status = await git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=all");
  return [status, ...kept].join("\n");
}

export const nameOf = (folder: string): string =>
  path
    .basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40) || "repository";
