import type { Principal } from "../../../../shared/contracts/identity.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { patchNotFound } from "../../domain/notFound.ts";
import { outputKey } from "../../domain/outputKey.ts";
import type { Archives } from "../../domain/ports/artifacts.ts";
import type { PatchSetStore } from "../../domain/ports/patchSetStore.ts";

/**
 * All that a command of a patch set's validation printed, as far as it is kept. Errors: `patch_not_found`,
 * `command_not_found`, `output_not_kept`.
 */
export async function outputOfCommand(
  { patchSets, archives }: { patchSets: PatchSetStore; archives: Archives },
  { organizationId }: Principal,
  patchSetId: string,
  command: number,
): Promise<string | ReadableStream<Uint8Array>> {
  const patch = await patchSets.find(organizationId, patchSetId);
  if (patch === null) throw patchNotFound(patchSetId);
  const { validation } = patch;
  const verdict = validation?.commands[command];
  if (verdict === undefined)
    throw new SwitchyardError(
      "command_not_found",
      `The validation of ${patchSetId} ran ${validation?.commands.length ?? 0} commands; they are numbered from 0.`,
    );
  if (verdict.output === undefined) return verdict.tail;
  const run = verdict.output === null ? undefined : validation?.run;
  const body = run === undefined ? null : await archives.get(outputKey(patch, run, command));
  if (body !== null) return body;
  throw new SwitchyardError(
    "output_not_kept",
    `${verdict.name} printed more than its verdict's tail holds, and the rest could not be kept.`,
  );
}
