import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { commitsOf, stepsApart } from "../../scripts/bench-patch/commits.ts";
import { playHistory, playTwins } from "../../scripts/bench-patch/histories.ts";

/** The project's own commits; `npm run bench:patch` plays all of them, and other histories. */
const repository = fileURLToPath(new URL("../..", import.meta.url));
const commits = commitsOf(repository, 15);

describe.skipIf(commits.length === 0)("real commits", () => {
  it("become sets that make the same files, can be taken back, and are diffs that git applies", async () => {
    const tally = await playHistory(repository, [...commits, ...stepsApart(commits, [5])]);

    expect(tally.faults).toEqual([]);
    expect(tally.counts["the same by git apply, both ways"]).toBeGreaterThanOrEqual(commits.length);
  });

  it("do so with other endings, with a mark, and in Latin-1", async () => {
    const tallies = await playTwins(repository, 8);

    expect(Object.keys(tallies)).toEqual(["CRLF", "BOM", "Latin-1"]);
    for (const { faults, counts } of Object.values(tallies)) {
      expect(faults).toEqual([]);
      expect(counts["the same by git apply, both ways"]).toBeGreaterThan(0);
    }
  });
});
