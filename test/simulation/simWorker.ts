import { parentPort } from "node:worker_threads";
import { guardNames } from "../../orchestrator/worker/domain/guards.ts";
import { killGuard } from "./guardKills.ts";
import { openSql } from "./openSql.ts";
import { playSeed, prepareProcess } from "./playSeed.ts";
import type { SimAnswer, SimJob } from "./run.ts";

/** A thread of the simulation: plays what it is given, one history after the other. */
prepareProcess();

const say = (answer: SimAnswer) => parentPort?.postMessage(answer);

async function work(job: SimJob): Promise<void> {
  if (job.kind === "guard") {
    const guard = guardNames.find((name) => name === job.guard);
    if (guard !== undefined) say({ kind: "guard", kill: await killGuard(guard, job.maxSeeds) });
    return;
  }
  for (let seed = job.from; seed < job.from + job.count; seed += 1) {
    const options = job.store === "sql" ? { openStores: openSql } : {};
    const { story: _, ...figures } = await playSeed(seed, options);
    say({ kind: "seed", figures });
  }
}

parentPort?.on("message", (job: SimJob) => {
  void work(job).then(() => say({ kind: "ready" }));
});
say({ kind: "ready" });
