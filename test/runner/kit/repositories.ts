import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onFinished } from "./testScope.ts";

/** A folder that is gone when the test is. */
export function temporaryFolder(name = "runner"): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `switchyard-${name}-`)));
  onFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Git as a person would use it, but with no settings of whoever runs the tests. */
export function git(folder: string, ...args: string[]): string {
  return execFileSync("git", ["-c", "init.defaultBranch=main", ...args], {
    cwd: folder,
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      HOME: "/nonexistent",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "Ada",
      GIT_AUTHOR_EMAIL: "ada@example.com",
      GIT_COMMITTER_NAME: "Ada",
      GIT_COMMITTER_EMAIL: "ada@example.com",
    },
    stdio: ["ignore", "pipe", "pipe"],
  }).trimEnd();
}

export function writeFiles(folder: string, files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** A repository with these files in its first commit. */
export function makeRepository(files: Record<string, string | Uint8Array>): string {
  const folder = join(temporaryFolder("source"), "repo");
  mkdirSync(folder);
  git(folder, "init", "--quiet");
  writeFiles(folder, files);
  commitAll(folder, "first");
  return folder;
}

export function commitAll(folder: string, message: string): string {
  git(folder, "add", "--all", "--force");
  git(folder, "commit", "--quiet", "--allow-empty", "--message", message);
  return git(folder, "rev-parse", "HEAD");
}
