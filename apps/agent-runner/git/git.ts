import { SwitchyardError } from "../../../shared/errors.ts";
import { systemPath } from "../processes/environment.ts";
import { type ProgramOutcome, runProgram } from "../processes/runProgram.ts";

/** Which repository a command works on. It is always named outright: nothing is looked for in a directory. */
export type GitPlace = {
  gitDir: string;
  workTree?: string;
  indexFile?: string;
};

export type GitOptions = {
  stdin?: Uint8Array | string;
  env?: Record<string, string>;
  /** Transports that this one command may use; none by default, so that no missing object is fetched. */
  protocols?: "file";
  timeLimitMs?: number;
  maxOutputBytes?: number;
  signal?: AbortSignal | undefined;
};

/** Whatever a repository's own configuration says, no hook, filter, monitor or helper is started. */
const safeConfig = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.attributesFile=/dev/null",
  "core.excludesFile=/dev/null",
  "core.autocrlf=false",
  "core.safecrlf=false",
  "core.pager=cat",
  "commit.gpgSign=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "submodule.recurse=false",
  "protocol.ext.allow=never",
].flatMap((setting) => ["-c", setting]);

/** Runs git safely on a repository that somebody else may have written; the exit code is the caller's. */
export function tryGit(
  place: GitPlace,
  args: readonly string[],
  options: GitOptions = {},
): Promise<ProgramOutcome> {
  return runProgram({
    argv: ["git", ...safeConfig, ...args],
    cwd: place.workTree ?? "/",
    env: { ...environment(place), GIT_ALLOW_PROTOCOL: options.protocols ?? "", ...options.env },
    timeLimitMs: options.timeLimitMs ?? 120_000,
    maxOutputBytes: options.maxOutputBytes ?? 256 * 1024 * 1024,
    signal: options.signal,
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
  });
}

/** As `tryGit`, for commands that are not expected to fail. */
export async function git(
  place: GitPlace,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Buffer> {
  const outcome = await tryGit(place, args, options);
  if (outcome.exitCode === 0) return outcome.stdout;
  throw new SwitchyardError("internal", `git ${args[0]} failed: ${lastLine(outcome.stderr)}`, {
    context: { args, stderr: outcome.stderr },
  });
}

/** The one line that a command prints. */
export async function gitLine(
  place: GitPlace,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string> {
  return (await git(place, args, options)).toString("utf8").replace(/\n$/, "");
}

export const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";

function environment(place: GitPlace): Record<string, string> {
  return {
    PATH: systemPath,
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_DIR: place.gitDir,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_LAZY_FETCH: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    ...(place.workTree === undefined ? {} : { GIT_WORK_TREE: place.workTree }),
    ...(place.indexFile === undefined ? {} : { GIT_INDEX_FILE: place.indexFile }),
  };
}
