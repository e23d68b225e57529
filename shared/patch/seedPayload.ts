import { isRecord } from "./shape.ts";

/**
 * The payload of the seed plan, one patch or an array of patches, as a set in mode `lines` with snapshot
 * coordinates. Anything else is handed through unchanged, for the parser to judge.
 */
export function setFromSeedPayload(input: unknown): unknown {
  if (Array.isArray(input)) return setOf(input);
  return isRecord(input) && input.operation !== undefined ? setOf([input]) : input;
}

function setOf(patches: readonly unknown[]) {
  const [first] = patches;
  const taskId = isRecord(first) && typeof first.task_id === "string" ? first.task_id : "";
  return {
    schema: "aipatch/1",
    id: "",
    task_id: taskId,
    mode: "lines",
    coordinates: "snapshot",
    base: {},
    files: {},
    patches,
  };
}
