import type { PatchSet } from "../../../shared/contracts/aiPatch.ts";
import type { PatchRunRequest } from "../../../shared/contracts/runner.ts";
import { finishPatch, newFile, patchRequest, setOf } from "./patchRuns.ts";
import { git, makeRepository } from "./repositories.ts";
import { openRunner } from "./runners.ts";

export const lines = (...all: (string | number)[]) => all.map((line) => `${line}\n`).join("");
export const eight = lines(1, 2, 3, 4, 5, 6, 7, 8);
export const replaceLine = (
  file: string,
  line: number,
  text: string,
): PatchSet["patches"][number] => ({
  task_id: "task_1",
  file,
  operation: "replace-block",
  start: line,
  end: line,
  block: `${text}\n`,
  metadata: { provider: "script" },
});

export const pre = (repository: string, path: string) => ({
  blob: git(repository, "rev-parse", `HEAD:${path}`),
});

/** A repository and a set against its head, to which somebody else then commits. */
export async function openBase(
  files: Record<string, string | Uint8Array>,
  make: (repository: string) => [files: PatchSet["files"], patches?: PatchSet["patches"]],
) {
  const repository = makeRepository(files);
  const base = git(repository, "rev-parse", "HEAD");
  const opened = await openRunner({ role: "patches", repositories: [repository] });
  const set = setOf(repository, ...make(repository));
  const apply = (onto: string, more: Partial<PatchRunRequest> = {}, id = "ps_1") => {
    const source = { kind: "local" as const, path: repository, commit: base };
    return finishPatch(opened, patchRequest(repository, set, { source, onto, ...more }), id);
  };
  return { repository, base, set, apply, ...opened };
}

export const edited = () =>
  openBase({ "a.txt": eight, "other.txt": "other\n" }, (repository) => [
    {
      "a.txt": { op: "edit", pre: pre(repository, "a.txt") },
      "new.txt": newFile("new\n"),
    },
    [replaceLine("a.txt", 2, "TWO")],
  ]);
