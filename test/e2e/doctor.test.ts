import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { mustRunWrangler } from "../../scripts/local/wrangler.ts";
import { script } from "./kit/scripts.ts";

const state = mkdtempSync(path.join(os.tmpdir(), "switchyard-doctor-"));
const doctor = (...args: string[]) => script("doctor", ["--state", state, ...args]);
const database = ["--local", "--persist-to", path.join(state, "cloudflare")];
const execute = (sql: string) =>
  mustRunWrangler("Writing", ["d1", "execute", "switchyard", ...database, "--command", sql]);

beforeAll(async () => {
  expect((await script("bootstrap", ["--state", state, "--organization", "org_a"])).code).toBe(0);
});
afterAll(() => rmSync(state, { recursive: true, force: true }));

it("says that nothing is broken, and what it cannot see", async () => {
  const { code, stdout, stderr } = await doctor();

  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^✓ nothing is broken: \d\d checks over 2 organizations\n/);
  expect(stdout).toContain("I14 ");
});

it("says what is broken, in which row, and what to do", async () => {
  const columns = "organization_id, key, request_sha256, answer, expires_at_ms";
  await execute(
    `insert into idempotency_records (${columns}) values ('org_a', 'old-one', '', '{}', 1)`,
  );

  const [all, asJson, other] = [
    await doctor(),
    await doctor("--json"),
    await doctor("--organization", "org_b"),
  ];

  expect(all.code).toBe(1);
  expect(all.stdout).toMatch(/org_a\n\n {2}✗ key_kept_too_long \(idempotency\): 1\n/);
  expect(all.stdout).toContain("What to do: Look whether the cron tick comes");
  expect(all.stdout).toContain("old-one: expired 1970-01-01 00:00:00 UTC");
  expect(asJson.code).toBe(1);
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    healthy: false,
    organizations: [
      { organization: "org_a", findings: [{ name: "key_kept_too_long", count: 1 }] },
      { organization: "-", findings: [] },
    ],
  });
  expect(other).toMatchObject({ code: 2, stdout: "" });
  expect(other.stderr).toContain("there is no organization org_b; there are: org_a");
});

it.each([
  [["--stat", "x"], "--stat"],
  [["--state", path.join(state, "nowhere")], "there is no database in"],
])("called wrongly with %j says how to call it", async (args, expected) => {
  const { code, stderr } = await script("doctor", args);

  expect(code).toBe(2);
  expect(stderr).toContain(expected);
  expect(stderr).toContain("usage: npm run doctor");
});
