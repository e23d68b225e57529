/**
 * `npm run bench:patch`: the patch engines against real histories, git, npm `diff`, random sets and hostile ones, and
 * their speed.
 *
 *   --history DIR    a git repository whose commits are played too, as often as wanted
 *   --patches DIR    a folder of patches that is read by git and by us, as often as wanted
 *   --commits N      at most so many commits of each history (1,000)
 *   --rounds N       so many rounds of each timing (15)
 *   --properties N   only the properties of the format, so many runs in all (30,000 where all is played)
 *   --speed          only the timings
 *   --hostile        only the hostile sets and diffs
 *
 * Exit status: 0 when everything held, 1 when not. Times are held against goals, and judge nothing.
 */
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { playHostileDiffs, playHostileSets } from "../test/patch/hostileRuns.ts";
import {
  commitsOf,
  historyGap,
  mergesOf,
  type Range,
  reversed,
  stepsApart,
} from "./bench-patch/commits.ts";
import { type Goal, limitGoals, raceGoals } from "./bench-patch/goals.ts";
import { playHistory, playTwins, type Tally } from "./bench-patch/histories.ts";
import { measureDiff, measureRefusal } from "./bench-patch/limits.ts";
import { compareReading } from "./bench-patch/oracle.ts";
import { playProperties } from "./bench-patch/properties.ts";
import { goalLine, hostileTable, tallyLine, timingLines } from "./bench-patch/report.ts";
import { measureApply } from "./bench-patch/speed.ts";
import { sizes, speedLoad } from "./bench-patch/speedLoad.ts";

const ownHistory = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    history: { type: "string", multiple: true, default: [] },
    patches: { type: "string", multiple: true, default: [] },
    commits: { type: "string", default: "1000" },
    rounds: { type: "string", default: "15" },
    properties: { type: "string" },
    speed: { type: "boolean", default: false },
    hostile: { type: "boolean", default: false },
  },
});
const faults: string[] = [];
/** The way back of a step and what lies between far trees go through real git now and then only. */
const gitEvery = 20;
const playsAll = !values.speed && !values.hostile && values.properties === undefined;

console.log(
  `machine: ${os.cpus().length} cores, Node ${process.versions.node}, ${os.platform()} ${os.arch()}`,
);
if (playsAll || values.speed) await printSpeed(Number(values.rounds));
if (playsAll || values.hostile) await printHostile();
if (playsAll || values.properties !== undefined)
  await printProperties(Number(values.properties ?? 30_000));
if (playsAll) {
  await printOwnHistory(Number(values.commits));
  for (const repository of values.history) await printHistory(repository, Number(values.commits));
  for (const folder of values.patches) printReading(folder);
}
for (const fault of faults) console.log(`FAULT ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;

async function printSpeed(rounds: number): Promise<void> {
  for (const [name, size] of Object.entries(sizes)) {
    console.log(
      `\n1,000 patches with 3,000 hunks, files of ${name}, in turn in each of ${rounds} rounds`,
    );
    const timings = await measureApply(await speedLoad(size), rounds);
    printLines(timingLines(timings), raceGoals(timings));
  }
  console.log("\nthe difference of two files, and a set that is too large");
  const [differences, refusals] = [measureDiff(rounds), await measureRefusal(rounds)];
  const goals = [...limitGoals(differences, 100), ...limitGoals(refusals, 50)];
  printLines(timingLines([...differences, ...refusals]), goals);
}

function printLines(lines: readonly string[], goals: readonly Goal[]): void {
  for (const line of [...lines, ...goals.map(goalLine)]) console.log(line);
}

async function printHostile(): Promise<void> {
  const runs = { sets: await playHostileSets(), diffs: await playHostileDiffs() };
  console.log(
    "\nhostile sets and diffs, the whole tree and what lies beside it hashed before and after",
  );
  for (const [kind, played] of Object.entries(runs)) {
    console.log(`${played.length} hostile ${kind}, by the code of the first fault`);
    for (const line of hostileTable(played)) console.log(line);
    for (const { name, fault } of played)
      if (fault !== null) faults.push(`hostile ${kind}: ${name}: ${fault}`);
  }
}

async function printProperties(runs: number): Promise<void> {
  console.log("\nproperties of the format, and how many cases each was played with");
  let total = 0;
  for await (const { name, runs: played, fault } of playProperties(runs, Date.now() % 2 ** 31)) {
    total += played;
    console.log(`${String(played).padStart(8)}  ${name}${fault === null ? "" : ": BROKEN"}`);
    if (fault !== null) faults.push(`${name}: ${fault}`);
  }
  console.log(`${String(total).padStart(8)}  property runs in all`);
}

async function printOwnHistory(limit: number): Promise<void> {
  const gap = historyGap(ownHistory);
  if (gap !== null) console.log(`\nthis project: ${gap}, so fewer of its trees or none are played`);
  const commits = commitsOf(ownHistory, limit);
  if (commits.length === 0) return;
  const merges = mergesOf(ownHistory);
  const steps = stepsApart(commits, [2, 3, 5, 8]);
  const parts: [string, Range[], number][] = [
    ["commits of this project, real", commits, 1],
    ["merges of this project against each parent", merges, gitEvery],
    ["2, 3, 5 and 8 commits of this project at once", steps, gitEvery],
    ["all of these backwards", reversed([...commits, ...merges, ...steps]), gitEvery],
  ];
  for (const [name, ranges, every] of parts)
    print(name, await playHistory(ownHistory, ranges, every));
  const pairs = parts.reduce((sum, [, ranges]) => sum + ranges.length, 0);
  console.log(`\n${pairs} pairs of real trees of this project in all`);
  for (const [twin, tally] of Object.entries(await playTwins(ownHistory, 100)))
    print(`commits of this project, made ${twin}`, tally);
}

async function printHistory(repository: string, limit: number): Promise<void> {
  const name = path.basename(path.resolve(repository, ".."));
  const commits = commitsOf(repository, limit);
  print(`commits of ${name}, real`, await playHistory(repository, commits));
}

function print(name: string, tally: Tally): void {
  console.log(tallyLine(name, tally));
  faults.push(...tally.faults.map((fault) => `${name}: ${fault}`));
}

function printReading(folder: string): void {
  const { both, neither, differ, npmDiff } = compareReading(folder);
  const other = `npm diff reads ${npmDiff} of them alike`;
  console.log(
    `\npatches of ${path.basename(folder)}: ${both} read as git reads them; ${other}; ${neither} refused by both`,
  );
  faults.push(...differ.map((name) => `${name} is not read as git reads it`));
}
