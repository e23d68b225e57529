import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { findMarked } from "../../apps/agent-runner/processes/processTable.ts";
import { runWrangler } from "../../scripts/local/wrangler.ts";

it("a wrangler command that is cancelled has ended, with its runtime, when it says so", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "switchyard-wrangler-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select * from n";
  const database = ["d1", "execute", "switchyard", "--local", "--persist-to", folder];
  const cancelling = new AbortController();
  const ofThisTest = () => findMarked([`SWITCHYARD_RUNNER=wrangler-${process.pid}`]);

  const running = runWrangler([...database, "--command", endless], cancelling.signal);
  running.catch(() => {});
  while (ofThisTest().length < 3) await new Promise((resolve) => setTimeout(resolve, 50));
  cancelling.abort(new Error("enough"));

  await expect(running).rejects.toThrow("enough");
  expect(ofThisTest()).toEqual([]);
});
