import { describe, expect, it } from "vitest";
import { measureBundle } from "../../scripts/bench/bundleSize.ts";

describe("the bundle of the worker", () => {
  it("is small: at most 200 KiB gzipped", async () => {
    const { gzipKiB } = await measureBundle();
    expect(gzipKiB).toBeGreaterThan(50);
    expect(gzipKiB).toBeLessThanOrEqual(200);
  });
});
