import { type Commit, commitsOf, type Range, readCommit } from "./commits.ts";
import { appliedByGit, diffByGit, type Step } from "./gitApply.ts";
import { type RoundTrip, roundTrip } from "./roundTrip.ts";
import { twins } from "./twins.ts";

/** How many of a kind came to what. `faults` must be empty. */
export type Tally = { counts: Record<string, number>; faults: string[] };

/** Steps that one process of git applies together. */
const batchSize = 40;

/**
 * Plays steps of a history: git's diff as a set and back. Of each `gitEvery`-th step our own diff goes through real
 * git too, both ways, which takes most of the time.
 */
export async function playHistory(
  repository: string,
  ranges: readonly Range[],
  gitEvery = 1,
): Promise<Tally> {
  const tally: Tally = { counts: {}, faults: [] };
  let batch: Step[] = [];
  for (const [at, range] of ranges.entries()) {
    const commit = readCommit(repository, range);
    if (commit === null || commit.diff.length === 0) {
      add(tally, commit === null ? "not to be read" : "the same tree twice");
      continue;
    }
    const outcome = await roundTrip(commit.diff, commit.before, commit.after);
    count(tally, commit.name, outcome);
    if (outcome.kind === "held" && at % gitEvery === 0) batch.push({ ...commit, ...outcome });
    if (batch.length >= batchSize) batch = await flush(tally, batch);
  }
  await flush(tally, batch);
  return tally;
}

/** The same files with other endings, with a mark, and in Latin-1; git makes the diff of each. */
export async function playTwins(repository: string, limit: number): Promise<Record<string, Tally>> {
  const commits = commitsOf(repository, limit).flatMap(
    (range) => readCommit(repository, range) ?? [],
  );
  const tallies: Record<string, Tally> = {};
  for (const [name, twin] of Object.entries(twins)) {
    const tally: Tally = { counts: {}, faults: [] };
    const batch: Step[] = [];
    for (const commit of commits) {
      const step = await twinStep(tally, commit, twin);
      if (step !== null) batch.push(step);
    }
    await flush(tally, batch);
    tallies[name] = tally;
  }
  return tallies;
}

async function twinStep(
  tally: Tally,
  commit: Commit,
  twin: (tree: Commit["before"]) => Commit["before"],
): Promise<Step | null> {
  const [before, after] = [twin(commit.before), twin(commit.after)];
  const modes = [...before.values(), ...after.values()].map(({ mode }) => mode);
  const diff = modes.every((mode) => mode.startsWith("100")) ? diffByGit(before, after) : null;
  if (diff === null || diff.length === 0) return null;
  const outcome = await roundTrip(diff, before, after);
  count(tally, commit.name, outcome);
  return outcome.kind === "held" ? { before, after, ...outcome } : null;
}

function count(tally: Tally, name: string, outcome: RoundTrip): void {
  if (outcome.kind === "held") add(tally, outcome.isProtected ? "needs approval" : "accepted");
  else if (outcome.kind === "refused") add(tally, `refused: ${outcome.because}`);
  else tally.faults.push(`${name}: ${outcome.kind}: ${outcome.message}`);
}

async function flush(tally: Tally, batch: readonly Step[]): Promise<Step[]> {
  if (batch.length === 0) return [];
  const difference = await appliedByGit(batch);
  if (difference === null) add(tally, "the same by git apply, both ways", batch.length);
  else tally.faults.push(difference);
  return [];
}

function add(tally: Tally, what: string, number = 1): void {
  tally.counts[what] = (tally.counts[what] ?? 0) + number;
}
