import { stands } from "../../domain/guards.ts";
import { go, type Step } from "../../domain/ports/supervision.ts";
import type { StreamEvent, SupervisorMemory } from "../../domain/ports/supervisorMemory.ts";
import type { SupervisionDeps } from "./deps.ts";
import { releaseRun } from "./releaseRun.ts";

/** Where the transcript of a task lies when its supervisor has forgotten it: one JSON line an event. */
export const transcriptKey = (organizationId: string, taskId: string): string =>
  `${organizationId}/${taskId}/transcript.ndjson`;

/** Keeps the transcript of all attempts so far. A later attempt writes it anew, with its own events added. */
export const archiveRun =
  (deps: SupervisionDeps): Step =>
  async (attempt) => {
    const { organizationId, taskId } = attempt;
    const lines = readAll(deps.memory).map((event) => JSON.stringify(event));
    await deps.artifacts.put(transcriptKey(organizationId, taskId), `${lines.join("\n")}\n`);
    await releaseRun(deps, attempt);
    const phase = attempt.unconfirmed && stands("unseen_run_ended") ? "confirming" : "done";
    return go({ ...attempt, phase, report: null, endedAtMs: deps.clock.nowMs() });
  };

function readAll(memory: SupervisorMemory): StreamEvent[] {
  const all: StreamEvent[] = [];
  for (let at = { fence: 0, number: 0 }; ; ) {
    const page = memory.read(at, 1000);
    const last = page.at(-1);
    if (last === undefined) return all;
    all.push(...page);
    at = { fence: last.fence, number: last.number };
  }
}
