/**
 * `npm run sim`: the core in many awkward histories. See `npm run sim -- --help`.
 */
import { parseArgs } from "node:util";
import { guardNames, switchOff } from "../orchestrator/worker/domain/guards.ts";
import { type CrashPoint, crashMatrix, crashPaths } from "../test/simulation/crashMatrix.ts";
import { type Figures, figuresOf, type SeedFigures } from "../test/simulation/figures.ts";
import type { GuardKill } from "../test/simulation/guardKills.ts";
import { openSql } from "../test/simulation/openSql.ts";
import { playSeed, prepareProcess } from "../test/simulation/playSeed.ts";
import { runJobs, type SimJob, seedJobs } from "../test/simulation/run.ts";
import { notYetApplicable, printReport } from "./sim/report.ts";

const usage = `usage: npm run sim -- [options]
  --seeds N        how many seeds to play (default 1000), from the one of --seed on (default 1)
  --seed S         with --trace or without --seeds: this one seed
  --trace          tell its story: time, actor, what happens, state before → after
  --store NAME     memory (default), or sql: the real SQL on SQLite
  --guard NAME     take this guard away (with --seed): see what harm it keeps off
  --guard-seeds N  seeds within which every guard's removal must be noticed (default 1000); 0 = do not try
  --no-crashes     leave out the single-crash matrix
  --json           the figures as one JSON object`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string" },
      seed: { type: "string" },
      trace: { type: "boolean", default: false },
      store: { type: "string", default: "memory" },
      guard: { type: "string" },
      "guard-seeds": { type: "string", default: "1000" },
      "no-crashes": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return say(usage, 0);
  const problem = problemOf(values);
  if (problem !== null) return say(`sim: ${problem}\n\n${usage}`, 2);
  prepareProcess();
  const store = values.store === "sql" ? "sql" : "memory";
  const seed = Number(values.seed ?? 1);
  if (values.trace || (values.seed !== undefined && values.seeds === undefined))
    return playOne(seed, { store, guard: values.guard, trace: values.trace, json: values.json });
  return playMany({
    from: seed,
    count: Number(values.seeds ?? 1_000),
    store,
    guardSeeds: Number(values["guard-seeds"]),
    crashes: !values["no-crashes"],
    json: values.json,
  });
}

function problemOf(values: { [name: string]: unknown }): string | null {
  for (const name of ["seeds", "seed", "guard-seeds"]) {
    const text = values[name];
    if (text !== undefined && !/^\d{1,9}$/.test(String(text)))
      return `--${name} must be a whole number, not "${text}"`;
  }
  if (values.store !== "memory" && values.store !== "sql")
    return `--store must be memory or sql, not "${values.store}"`;
  const { guard } = values;
  if (guard !== undefined && !(guardNames as readonly unknown[]).includes(guard))
    return `there is no guard "${guard}"; there are: ${guardNames.join(", ")}`;
  return null;
}

function say(text: string, exitCode: number): number {
  (exitCode === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  return exitCode;
}

async function playOne(
  seed: number,
  options: { store: string; guard: string | undefined; trace: boolean; json: boolean },
): Promise<number> {
  switchOff(guardNames.filter((name) => name === options.guard));
  const played = await playSeed(seed, {
    keepTrace: options.trace,
    ...(options.store === "sql" ? { openStores: openSql } : {}),
  });
  const { story, ...figures } = played;
  if (options.json) return say(JSON.stringify({ ...figures, story }), exitOf(played.violations));
  for (const line of story) process.stdout.write(`${line}\n`);
  const ended = Object.entries(figures.statuses)
    .map(([status, n]) => `${n} ${status}`)
    .join(", ");
  process.stdout.write(
    `\nseed ${seed}: ${figures.tasks} tasks (${ended}), ${figures.awaits} awaits, ${figures.steps} steps, hash ${figures.hash}\n`,
  );
  for (const { invariant, what } of played.violations)
    process.stdout.write(`✗ ${invariant}: ${what}\n`);
  return exitOf(played.violations);
}

const exitOf = (violations: readonly unknown[]): number => (violations.length === 0 ? 0 : 1);

type Many = {
  from: number;
  count: number;
  store: "memory" | "sql";
  guardSeeds: number;
  crashes: boolean;
  json: boolean;
};

export type SimReport = {
  figures: Figures;
  guards: GuardKill[];
  crashPoints: { tried: number; converged: number; failures: string[] } | null;
  notYetApplicable: typeof notYetApplicable;
  seconds: number;
};

async function playMany(many: Many): Promise<number> {
  const startedAtMs = Date.now();
  const played: SeedFigures[] = [];
  const kills: GuardKill[] = [];
  const progress = many.json ? () => {} : showProgress(many.count, startedAtMs);
  await runJobs(jobsOf(many), (answer) => {
    if (answer.kind === "seed") {
      played.push(answer.figures);
      progress(played);
    } else if (answer.kind === "guard") kills.push(answer.kill);
  });
  const report: SimReport = {
    figures: figuresOf(played),
    guards: guardNames.flatMap((name) => kills.filter(({ guard }) => guard === name)),
    crashPoints: many.crashes ? await tryCrashes() : null,
    notYetApplicable,
    seconds: Math.round((Date.now() - startedAtMs) / 100) / 10,
  };
  if (many.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else printReport(report);
  return holds(report) ? 0 : 1;
}

function jobsOf({ from, count, store, guardSeeds }: Many): SimJob[] {
  const guards: SimJob[] =
    guardSeeds === 0
      ? []
      : guardNames.map((guard) => ({ kind: "guard", guard, maxSeeds: guardSeeds }));
  return [...seedJobs(from, count, store), ...guards];
}

async function tryCrashes() {
  const points: CrashPoint[] = [];
  for (const path of crashPaths) points.push(...(await crashMatrix(path)).points);
  const failures = points.flatMap(({ number, side, failure }) =>
    failure === null ? [] : [`crash ${side} await ${number}: ${failure}`],
  );
  return { tried: points.length, converged: points.length - failures.length, failures };
}

const holds = ({ figures, guards, crashPoints }: SimReport): boolean =>
  figures.failures.length === 0 &&
  guards.every(({ killedBy }) => killedBy !== null) &&
  (crashPoints === null || crashPoints.failures.length === 0);

function showProgress(count: number, startedAtMs: number): (played: readonly unknown[]) => void {
  let shownAtMs = 0;
  return ({ length }) => {
    if (!process.stderr.isTTY || Date.now() - shownAtMs < 500) return;
    shownAtMs = Date.now();
    const rate = Math.round(length / ((shownAtMs - startedAtMs) / 1_000));
    process.stderr.write(
      `\r${length} of ${count} seeds, ${rate} a second   ${length === count ? "\n" : ""}`,
    );
  };
}

process.exitCode = await main();
