/** `npm run bench`: the figures of docs/performance.md, measured on this machine. `--json` for a machine. */
import os from "node:os";
import { operationsOfOneMinute, operationsOfOneTask } from "../test/worker/expectedOperations.ts";
import { measureBundle } from "./bench/bundleSize.ts";
import type { Latency } from "./bench/startLatency.ts";

// wrangler reads these when it is loaded.
process.env.WRANGLER_LOG = "none";
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
const { measureStartLatency } = await import("./bench/startLatency.ts");

const latencies = await measureStartLatency();
const bundle = await measureBundle();
const figures = {
  machine: `${os.cpus().length} cores, Node ${process.versions.node}, ${os.platform()} ${os.arch()}`,
  acceptedToStartAsked: latencies.start,
  requestToAccepted: latencies.accept,
  bundle,
  operations: { oneTask: operationsOfOneTask, everyFurtherMinute: operationsOfOneMinute },
};

if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
else print();

function print(): void {
  console.log(`machine: ${figures.machine}\n`);
  row("request → accepted", latencies.accept);
  row("accepted → agent start asked", latencies.start);
  console.log(`bundle: ${bundle.totalKiB} KiB, ${bundle.gzipKiB} KiB gzipped (at most 260)`);
  console.log("\noperations, held exactly by test/worker/operations.test.ts:");
  console.log(`  one task             ${JSON.stringify(operationsOfOneTask)}`);
  console.log(`  every further minute ${JSON.stringify(operationsOfOneMinute)}`);
}

function row(name: string, { samples, medianMs, p95Ms, maxMs }: Latency): void {
  const shown = [medianMs, p95Ms, maxMs].map((ms) => `${ms.toFixed(1)} ms`.padStart(9)).join(" ");
  console.log(`${name.padEnd(30)} median, p95, max: ${shown}   (${samples} tasks, one at a time)`);
}
