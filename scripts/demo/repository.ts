import { execFile } from "node:child_process";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { makeFailingRepo } from "../../apps/scripted-model/sampleRepos.mjs";
import { UsageError } from "../terminal/usageError.ts";

const run = promisify(execFile);

/** Git as a person would call it in that folder, with nobody's hooks and no pager. */
export const git = (folder: string, ...args: string[]): Promise<string> =>
  runGit(folder, environmentOf(process.env), args);

/** A small shop with a test that fails, as a repository with one commit that no setting of a person has a part in. */
export async function makeDemoRepository(folder: string): Promise<void> {
  makeFailingRepo(folder);
  const own = (...args: string[]) => runGit(folder, plainEnvironment(), args);
  await own("init", "--quiet", "--template=", "--object-format=sha1", "--initial-branch=main");
  await own("add", "--all");
  const who = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com"];
  await own(...who, "commit", "--quiet", "--message", "Shipping rates of the shop");
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

async function runGit(
  folder: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
): Promise<string> {
  const { stdout } = await run("git", ["-c", "core.hooksPath=/dev/null", ...args], {
    cwd: folder,
    env: { ...env, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0" },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trimEnd();
}

const configurationFiles = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"];

/**
 * A hook or an alias that this program runs under names a repository and an index by variables, and git would
 * work there whatever its folder is. Only where a person keeps their settings is handed on.
 */
function environmentOf(caller: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = ([name]: [string, unknown]) =>
    !name.startsWith("GIT_") || configurationFiles.includes(name);
  return Object.fromEntries(Object.entries(caller).filter(kept));
}

const plainEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
});
