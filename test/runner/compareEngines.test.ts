import { describe, expect, it } from "vitest";
import { compareOutcomes, compareTree } from "../../apps/agent-runner/patch-run/compareEngines.ts";

describe("two engines that differ", () => {
  const file = (text: string) => ({ bytes: Buffer.from(text), mode: "100644" as const });

  it.each([
    [
      "in a byte",
      { kind: "applied" as const, files: new Map([["a", file("x")]]) },
      { kind: "applied" as const, files: [{ path: "a", sha256: "0", mode: "100644" }] },
    ],
    [
      "in a file",
      { kind: "applied" as const, files: new Map([["a", null]]) },
      { kind: "applied" as const, files: [] },
    ],
    ["in kind", { kind: "already_applied" as const }, { kind: "applied" as const, files: [] }],
    [
      "in a code",
      {
        kind: "refused" as const,
        faults: [{ index: 0, file: "a", code: "stale" as const, message: "" }],
      },
      {
        kind: "refused" as const,
        faults: [{ index: 0, file: "a", code: "conflict" as const, message: "" }],
      },
    ],
  ])("%s are told apart", async (_, ours, theirs) => {
    expect(await compareOutcomes(ours, theirs)).not.toBe(null);
  });

  it("only in how they word a fault agree", async () => {
    const refusal = (message: string) => ({
      kind: "refused" as const,
      faults: [{ index: 0, file: "a", code: "stale" as const, message }],
    });

    expect(await compareOutcomes(refusal("one"), refusal("other"))).toBe(null);
  });

  it("from the disk are told apart", async () => {
    const files = new Map([["a", file("x")]]);
    const change = { path: "a", before: null, after: { mode: "100644", id: "0".repeat(40) } };

    expect(await compareTree(files, [change])).toContain("a:");
    expect(await compareTree(files, [])).toContain("unchanged");
    expect(await compareTree(new Map(), [])).toBe(null);
  });
});
