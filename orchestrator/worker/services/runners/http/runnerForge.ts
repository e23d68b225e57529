import {
  commitAnswerSchema,
  moveRefAnswerSchema,
  readRefAnswerSchema,
} from "../../../../../shared/contracts/runner.ts";
import type { Forge } from "../../../domain/ports/runner.ts";
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
  };
}
