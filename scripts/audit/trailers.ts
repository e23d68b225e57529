import { spawnSync } from "node:child_process";
import { parseAuditTrailer } from "../../orchestrator/worker/domain/auditChain.ts";
import type { Evidence } from "../../orchestrator/worker/domain/auditFaults.ts";
import { UsageError } from "../terminal/usageError.ts";

const format = "%H%x00%(trailers:key=Switchyard-Audit,valueonly,separator=%x00)";

/** The heads that commits on the branches `factory/*` name, here and as they were last fetched. */
export function trailersIn(repository: string): Evidence[] {
  const branches = ["--branches=factory/*", "--remotes=*/factory/*"];
  const log = spawnSync("git", ["-C", repository, "log", ...branches, `--format=${format}`], {
    encoding: "utf8",
    maxBuffer: 1024 * 1024 * 1024,
  });
  if (log.status !== 0)
    throw new UsageError(`git cannot read ${repository}: ${(log.stderr ?? "").trim()}`);
  return log.stdout.split("\n").flatMap((line) => {
    const [commit = "", ...trailers] = line.split("\0");
    return trailers
      .map(parseAuditTrailer)
      .filter((trailer) => trailer !== null)
      .map((trailer) => ({ source: `commit ${commit.slice(0, 12)}`, ...trailer }));
  });
}
