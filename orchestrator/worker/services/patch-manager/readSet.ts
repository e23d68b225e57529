import { SwitchyardError } from "../../../../shared/errors.ts";
import { parsePatchSet } from "../../../../shared/patch/parse.ts";
import { readText } from "../../domain/keepText.ts";
import type { Artifacts } from "../../domain/ports/artifacts.ts";
import type { PatchSetRecord } from "../../domain/task.ts";

/** A patch set as the agent's run left it, parsed by the format's own rules. */
export async function readSet(artifacts: Artifacts, { set }: Pick<PatchSetRecord, "set">) {
  const text = await readText(artifacts, set);
  if (text === null) throw new SwitchyardError("internal", "The stored patch set is missing.");
  return parsePatchSet(JSON.parse(text));
}
