import {
  type ForgeFile,
  readFilesAnswerSchema,
} from "../../../../../shared/contracts/forgeFiles.ts";
import { goesOnAnswerSchema } from "../../../../../shared/contracts/forgeHistory.ts";
import {
  commitAnswerSchema,
  moveRefAnswerSchema,
  readRefAnswerSchema,
} from "../../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../../shared/errors.ts";
import { decodeBase64 } from "../../../../../shared/patch/base64.ts";
import type { Forge, TreeEntry } from "../../../domain/ports/runner.ts";
import { ask, type RunnerAddress } from "./request.ts";

/** The forge of local repositories: git itself, run by the runner of patches on the machine that has them. */
export function runnerForge(address: RunnerAddress): Forge {
  return {
    async readRef(source, ref) {
      const answer = await ask(address, "POST", "/forge/ref", readRefAnswerSchema, {
        body: { source, ref },
      });
      return answer.commit;
    },
    async readFiles(source, commit, paths) {
      const answer = await ask(address, "POST", "/forge/files", readFilesAnswerSchema, {
        body: { source, commit, paths },
        timeoutMs: 60_000,
      });
      return new Map(answer.files.map((file) => [file.path, entryOf(file)]));
    },
    async commit(request) {
      const answer = await ask(address, "POST", "/forge/commit", commitAnswerSchema, {
        body: request,
        timeoutMs: 60_000,
      });
      return answer.commit;
    },
    moveRef: (source, ref, from, to) =>
      ask(address, "POST", "/forge/move-ref", moveRefAnswerSchema, {
        body: { source, ref, from, to },
      }),
    async goesOn(source, commit, from) {
      const answer = await ask(address, "POST", "/forge/goes-on", goesOnAnswerSchema, {
        body: { source, commit, from },
      });
      return answer.goesOn;
    },
  };
}

function entryOf(found: ForgeFile): TreeEntry {
  if (found.kind === "directory") return { kind: "directory", files: found.files };
  if (found.kind !== "file") return { kind: found.kind };
  const bytes = decodeBase64(found.base64);
  if (bytes !== null) return { kind: "file", file: { bytes, mode: found.mode } };
  throw new SwitchyardError(
    "runner_protocol_error",
    "The runner answered a file that is no base64.",
  );
}
