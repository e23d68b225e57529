import type { PatchReport, PatchRunRequest } from "../../../shared/contracts/runner.ts";
import { ringDoorbell } from "../doorbell.ts";
import type { RunUser } from "../processes/runUser.ts";
import { createRedactor, type Secrets } from "../redact.ts";
import type { RunKind } from "../runs/liveRun.ts";
import { removeTree } from "../state/removeTree.ts";
import { patchScratch, runPatch } from "./runPatch.ts";

export type PatchRunDeps = {
  roots: readonly string[];
  bundles: string;
  runnerId: string;
  /** Whom a project's commands run as, and where they do. */
  user: RunUser | null;
  work: string | null;
  /** Kept out of all that leaves. */
  runnerSecrets: readonly Secrets[];
};

export const patchRunKind = (deps: PatchRunDeps): RunKind<PatchRunRequest, PatchReport> => ({
  /** Their repositories are small, and a set may wait long for whoever approves its delivery. */
  keep: 200,
  about: () => ({}),
  work: (live, request) =>
    runPatch({
      live,
      request,
      sources: { roots: deps.roots, bundles: deps.bundles },
      redactor: createRedactor(
        ...deps.runnerSecrets,
        request.doorbell ? { DOORBELL_TOKEN: request.doorbell.token } : {},
      ),
      markers: { runnerId: deps.runnerId, executionId: live.id, user: deps.user },
      scratch: patchScratch(live.folder, deps.work),
      onApplied: () => ringDoorbell(request.doorbell, { patchSetId: live.id }),
    }),
  failed: () => ({
    kind: "fault",
    code: "internal",
    message: "The runner failed in a way it was not made for.",
  }),
  interrupted: async ({ folder }) => {
    await removeTree(patchScratch(folder, deps.work));
    return { kind: "stopped", by: "shutdown" };
  },
  finished: (id, request) => ringDoorbell(request.doorbell, { patchSetId: id }),
});
