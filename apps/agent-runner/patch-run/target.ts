import type { PatchReport } from "../../../shared/contracts/runner.ts";
import { isAncestor } from "../git/ancestry.ts";
import type { GitPlace } from "../git/git.ts";
import type { ApplyRequest } from "./applySet.ts";

type Target = { kind: "target" } & Pick<ApplyRequest, "commit" | "onto">;

/**
 * Where a set that was made for one commit is applied. What does not go on from that commit has lost something of it
 * that nobody can tell from a change, so nothing is merged there.
 */
export async function targetOf(
  place: GitPlace,
  commit: string,
  onto: string | undefined,
): Promise<Target | Extract<PatchReport, { kind: "refused" }>> {
  if (onto === undefined || onto === commit) return { kind: "target", commit, onto: null };
  if (await isAncestor(place, commit, onto)) return { kind: "target", commit, onto };
  const message = `${onto} does not go on from ${commit}, which the set is against: the branch was rewritten`;
  return { kind: "refused", faults: [{ index: null, file: null, code: "conflict", message }] };
}
