import {
  bootHeader,
  patchResultSchema,
  runnerHealthSchema,
  runResultSchema,
  runStatusSchema,
} from "../../../../../shared/contracts/runner.ts";
import type { Runner } from "../../../domain/ports/runner.ts";
import { withDeadline } from "./deadline.ts";
import { readEvents } from "./eventStream.ts";
import { takeOutput } from "./outputs.ts";
import { ask, type RunnerAddress, refusal, send } from "./request.ts";

/** A margin above the time a runner may keep an event stream open. */
const streamMarginMs = 10_000;

/** A runner over HTTP: a local process now, a container with the same program elsewhere. */
export function httpRunner(address: RunnerAddress): Runner {
  const at = (kind: string, id: string) => `/${kind}/${encodeURIComponent(id)}`;
  return {
    health: (timeoutMs) => ask(address, "GET", "/health", runnerHealthSchema, { timeoutMs }),

    startRun: (id, body, { boot } = {}) =>
      ask(address, "PUT", at("runs", id), runStatusSchema, {
        body,
        ...(boot === undefined ? {} : { headers: { [bootHeader]: boot } }),
      }),

    startPatch: (id, body) =>
      ask(address, "PUT", at("patches", id), runStatusSchema, { body, timeoutMs: 60_000 }),

    async follow(kind, id, { after, waitMs, signal, onEvents }) {
      const path = `${at(kind, id)}/events?after=${after}&waitMs=${waitMs}`;
      await withDeadline(waitMs + streamMarginMs, signal, async (either) => {
        const response = await send(address, "GET", path, either);
        if (response.status !== 200 || response.body === null) throw await refusal(path, response);
        await readEvents(response.body, after, onEvents);
      });
    },

    cancel: (kind, id, fence, reason) =>
      ask(address, "POST", `${at(kind, id)}/cancel`, runStatusSchema, { body: { fence, reason } }),

    runResult: (id) => ask(address, "GET", `${at("runs", id)}/result`, runResultSchema),

    patchResult: (id) => ask(address, "GET", `${at("patches", id)}/result`, patchResultSchema),

    takeOutput: (id, command, store) => takeOutput(address, id, command, store),
  };
}
