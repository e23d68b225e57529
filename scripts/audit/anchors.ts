import { anchorKey, parseAnchor } from "../../orchestrator/worker/domain/anchors.ts";
import type { Evidence } from "../../orchestrator/worker/domain/auditFaults.ts";
import type { ChainRef } from "../../orchestrator/worker/domain/ports/auditStore.ts";
import { evidenceOfAnchor } from "../../orchestrator/worker/services/audit/verifyLogs.ts";
import { runWrangler } from "../local/wrangler.ts";

const bucket = "switchyard-artifacts";
const dayMs = 86_400_000;

/** The anchors of a chain of the last days, today's among them. Each day costs a start of wrangler. */
export async function anchorsOfDays(
  database: readonly string[],
  chain: ChainRef,
  days: number,
  nowMs: number,
): Promise<Evidence[]> {
  const found: Evidence[] = [];
  for (let back = 0; back < days; back += 1) {
    const day = new Date(nowMs - back * dayMs).toISOString().slice(0, 10);
    const key = anchorKey(chain, day);
    const get = ["r2", "object", "get", `${bucket}/${key}`, ...database, "--pipe"];
    const { exitCode, stdout, stderr } = await runWrangler(get);
    if (exitCode === 0) found.push(evidenceOfAnchor(parseAnchor(key, stdout)));
    else if (!/does not exist|not found|404/i.test(`${stdout}${stderr}`))
      throw new Error(`The anchor ${key} could not be read: ${stderr.trim() || stdout.trim()}`);
  }
  return found;
}
