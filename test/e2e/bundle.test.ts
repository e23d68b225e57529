import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { guardNames } from "../../orchestrator/worker/domain/guards.ts";
import { type BundleSize, measureBundle } from "../../scripts/bench/bundleSize.ts";

let size: BundleSize;
let text: string;

beforeAll(async () => {
  size = await measureBundle(async (folder) => {
    text = await readFile(path.join(folder, "index.js"), "utf8");
  });
});

describe("the bundle of the worker", () => {
  it("is small: at most 270 KiB gzipped", () => {
    expect(size.gzipKiB).toBeGreaterThan(50);
    expect(size.gzipKiB).toBeLessThanOrEqual(270);
  });

  it("holds nothing that could take a guard away", () => {
    // Names that stand in the list of guards alone, or are put together where they are asked for.
    const listed = guardNames.filter(
      (name) => name === "notice_key" || name.startsWith("claim_cap_"),
    );
    expect(listed.length).toBe(5);
    expect(listed.filter((name) => text.includes(`"${name}"`))).toEqual([]);
    expect(text).not.toContain("SIMULATION");
    expect(text).toContain('"claim_once"');
  });
});
