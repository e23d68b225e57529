import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SeedFigures } from "./figures.ts";
import type { GuardKill } from "./guardKills.ts";

export type SimJob =
  | { kind: "seeds"; from: number; count: number; store: "memory" | "sql" }
  | { kind: "guard"; guard: string; maxSeeds: number };
export type SimAnswer =
  | { kind: "seed"; figures: SeedFigures }
  | { kind: "guard"; kill: GuardKill }
  | { kind: "ready" };

const share = 50;

/** Gives jobs to one worker thread a core and collects their answers; a seed's history depends on no other. */
export async function runJobs(
  jobs: readonly SimJob[],
  onAnswer: (answer: SimAnswer) => void,
): Promise<void> {
  const waiting = [...jobs];
  const threads = Math.min(availableParallelism(), waiting.length);
  await Promise.all(Array.from({ length: threads }, () => work(waiting, onAnswer)));
}

/** Seeds in shares, so that no core waits long for the other. */
export function seedJobs(from: number, count: number, store: "memory" | "sql"): SimJob[] {
  const jobs: SimJob[] = [];
  for (let at = 0; at < count; at += share)
    jobs.push({ kind: "seeds", from: from + at, count: Math.min(share, count - at), store });
  return jobs;
}

function work(waiting: SimJob[], onAnswer: (answer: SimAnswer) => void): Promise<void> {
  const worker = new Worker(new URL("./simWorker.ts", import.meta.url));
  return new Promise((resolve, reject) => {
    const next = () => {
      const job = waiting.shift();
      if (job !== undefined) return worker.postMessage(job);
      void worker.terminate().then(() => resolve());
    };
    worker.on("message", (answer: SimAnswer) => {
      if (answer.kind === "ready") next();
      else onAnswer(answer);
    });
    worker.once("error", reject);
  });
}
