/**
 * `npm run bench:patch`: the patch engines against real histories, git and npm `diff`, and their speed.
 *
 *   --history DIR   a git repository whose commits are played too, as often as wanted
 *   --patches DIR   a folder of patches that is read by git and by us, as often as wanted
 *   --jsdiff DIR    a folder in whose node_modules npm `diff` lies, to be measured against
 *   --commits N     at most so many commits of each history (1,000)
 *   --rounds N      so many rounds of each timing (15)
 *   --speed         the timings alone
 *
 * Exit status: 0 when everything held, 1 when not. Times are printed and judge nothing.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { commitsOf, stepsApart } from "./bench-patch/commits.ts";
import { playHistory, playTwins, type Tally } from "./bench-patch/histories.ts";
import { compareReading } from "./bench-patch/oracle.ts";
import { measureApply, measureDiff, measureRefusal, type Timing } from "./bench-patch/speed.ts";

const ownHistory = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    history: { type: "string", multiple: true, default: [] },
    patches: { type: "string", multiple: true, default: [] },
    jsdiff: { type: "string" },
    commits: { type: "string", default: "1000" },
    rounds: { type: "string", default: "15" },
    speed: { type: "boolean", default: false },
  },
});
const faults: string[] = [];

console.log(
  `machine: ${os.cpus().length} cores, Node ${process.versions.node}, ${os.platform()} ${os.arch()}\n`,
);
await printSpeed();
if (!values.speed) {
  await printHistories();
  printReadings();
  runRandomSets();
}
for (const fault of faults) console.log(`FAULT ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;

async function printSpeed(): Promise<void> {
  const rounds = Number(values.rounds);
  console.log("1,000 patches with 3,000 hunks, in turn in each round");
  printTimings(await measureApply(rounds, values.jsdiff ?? null));
  if (values.jsdiff === undefined)
    console.log(
      "npm diff is no dependency: npm install diff@9.0.0 in a folder, and --jsdiff FOLDER",
    );
  console.log("\nthe difference of two files, and a set that is too large");
  printTimings([...measureDiff(rounds), ...(await measureRefusal(rounds))]);
}

function printTimings(timings: readonly Timing[]): void {
  for (const { name, milliseconds } of timings) {
    const sorted = [...milliseconds].sort((a, b) => a - b);
    const [least = 0, median = 0] = [sorted[0], sorted[sorted.length >> 1]];
    console.log(`  ${name.padEnd(38)} ${shown(median)} median ${shown(least)} least`);
  }
}

function shown(ms: number): string {
  return `${ms.toFixed(1)} ms`.padStart(11);
}

async function printHistories(): Promise<void> {
  const limit = Number(values.commits);
  for (const repository of [ownHistory, ...values.history]) {
    const name =
      repository === ownHistory ? "this project" : path.basename(path.resolve(repository, ".."));
    const commits = commitsOf(repository, limit);
    printTally(`commits of ${name}, real`, await playHistory(repository, commits));
    if (repository !== ownHistory) continue;
    const steps = stepsApart(commits, [2, 3, 5, 8]);
    printTally(
      "2, 3, 5 and 8 commits of this project at once",
      await playHistory(repository, steps),
    );
    const tallies = await playTwins(repository, 100);
    for (const [twin, tally] of Object.entries(tallies))
      printTally(`commits of this project, made ${twin}`, tally);
  }
}

function printTally(name: string, tally: Tally): void {
  const counts = Object.entries(tally.counts).map(([what, number]) => `${number} ${what}`);
  console.log(`\n${name}: ${counts.join(", ") || "none"}`);
  faults.push(...tally.faults.map((fault) => `${name}: ${fault}`));
}

function printReadings(): void {
  for (const folder of values.patches) {
    const load = values.jsdiff && createRequire(path.resolve(values.jsdiff, "x.js"));
    const parsePatch = load ? load("diff").parsePatch : null;
    const { both, neither, differ, npmDiff } = compareReading(folder, parsePatch);
    const other = npmDiff === null ? "" : `; npm diff reads ${npmDiff} of them alike`;
    console.log(
      `\npatches of ${path.basename(folder)}: ${both} read as git reads them${other}; ${neither} refused by both`,
    );
    faults.push(...differ.map((name) => `${name} is not read as git reads it`));
  }
}

/** 12,500 random sets through both engines, and the properties with more runs than in \`npm test\`. */
function runRandomSets(): void {
  const files = ["engines", "properties", "lineDiff", "merge", "gitDiff", "hostile"];
  const tests = files.map((name) => `test/patch/${name}.test.ts`);
  console.log("\nrandom sets and properties");
  const run = spawnSync(
    "npx",
    ["vitest", "run", "--project", "node", "--testTimeout", "600000", ...tests],
    {
      cwd: ownHistory,
      env: { ...process.env, AIPATCH_CASES: "2500", AIPATCH_RUNS: "1600" },
      stdio: "inherit",
    },
  );
  if (run.status !== 0) faults.push("random sets and properties: see above");
}
