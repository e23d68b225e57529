/**
 * `npm run bench:agents`: how fast agents are read, relayed and missed, for docs/performance.md. `--containers`: how long
 * a container takes instead (needs Docker). `--json` for a machine.
 */
import os from "node:os";
import { measureColdStart, measureDeadAgent } from "./bench/liveRuns.ts";
import { measureParsers } from "./bench/parserThroughput.ts";
import { measureRelay } from "./bench/relay.ts";

const machine = `${os.cpus().length} cores, Node ${process.versions.node}, ${os.platform()} ${os.arch()}`;
const isJson = process.argv.includes("--json");

if (process.argv.includes("--containers")) await benchContainers();
else await benchAgents();

async function benchContainers(): Promise<void> {
  const coldStart = await measureColdStart();
  if (isJson) return console.log(JSON.stringify({ machine, coldStart }));
  console.log(`machine: ${machine}\n\naccepted → in a container of its own, ms of each task:`);
  console.log(`  the agent's program runs   ${spread(coldStart.toStarted)}`);
  console.log(`  the agent's first word     ${spread(coldStart.toFirstWord)}`);
}

async function benchAgents(): Promise<void> {
  const parsers = await measureParsers();
  const relay = await measureRelay();
  const deadAgent = await measureDeadAgent();
  if (isJson) return console.log(JSON.stringify({ machine, parsers, relay, deadAgent }));
  console.log(`machine: ${machine}\n\nGB/s, median of 5 turns:   newlines   JSON.parse   events`);
  for (const { agent, newlines, jsonParse, events } of parsers)
    console.log(
      `  ${agent.padEnd(22)} ${[newlines, jsonParse, events].map((speed) => speed.toFixed(3).padStart(10)).join(" ")}`,
    );
  const rate = (n: number) => `${Math.round(n).toLocaleString("en-US")} events/s`;
  console.log(
    `\nrelay of ${relay.events.toLocaleString("en-US")} events, agent → stored → watcher: ${rate(relay.relayed)}, raw pipe ${rate(relay.rawPipe)} (${((100 * relay.relayed) / relay.rawPipe).toFixed(1)} %; goal: 15 %)`,
  );
  console.log(
    `lost ${relay.lost}, out of order ${relay.outOfOrder}; whole replay from 0: ${rate(relay.replayed)}`,
  );
  console.log("\nkill -9 of an agent at work → told, ms of each task:");
  console.log(`  somebody watches (goal: under 1,000)   ${spread(deadAgent.watched)}`);
  console.log(`  nobody watches                         ${spread(deadAgent.unwatched)}`);
}

/** The median, and every figure. */
function spread(figures: readonly number[]): string {
  const sorted = figures.map(Math.round).sort((one, other) => one - other);
  return `median ${sorted[Math.floor(sorted.length / 2)]}  (${sorted.join(", ")})`;
}
