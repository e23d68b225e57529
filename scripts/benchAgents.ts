/** `npm run bench:agents`: how fast agents are read and relayed, for docs/performance.md. `--json` for a machine. */
import os from "node:os";
import { measureParsers } from "./bench/parserThroughput.ts";
import { measureRelay } from "./bench/relay.ts";

const figures = {
  machine: `${os.cpus().length} cores, Node ${process.versions.node}, ${os.platform()} ${os.arch()}`,
  parsers: await measureParsers(),
  relay: await measureRelay(),
};

if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
else print();

function print(): void {
  const { machine, parsers, relay } = figures;
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
}
