import { describe, expect, it } from "vitest";
import type { DemoOptions } from "../../scripts/demo/options.ts";
import { report } from "../../scripts/demo/report.ts";
import type { DemoOutcome, DemoScreen } from "../../scripts/demo/run.ts";

/** What the demo says of a task that ended without a commit. */
async function told(untouched: boolean): Promise<string> {
  const lines: string[] = [];
  const screen = {
    paint: (_: unknown, text: string) => text,
    say: (text: string) => lines.push(text),
  };
  const task = { status: "failed", outcome: null, execution: null, patch: null, commit: null };
  await report(
    { agent: "gemini", own: null } as DemoOptions,
    { task, untouched } as unknown as DemoOutcome,
    screen as unknown as DemoScreen,
  );
  return lines.join("\n");
}

describe("a demo that made no branch", () => {
  it("calls the repository untouched, and speaks of no branch", async () => {
    expect(await told(true)).toContain("untouched (git status and all refs are as before)");
    expect(await told(true)).not.toContain("branch");
  });

  it("says so when something changed nevertheless", async () => {
    expect(await told(false)).toContain("changed");
    expect(await told(false)).not.toContain("untouched");
  });
});
