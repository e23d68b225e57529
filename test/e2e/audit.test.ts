import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { auditTrailer, genesis, sealOf } from "../../orchestrator/worker/domain/auditChain.ts";
import type { AuditLine, Seal } from "../../orchestrator/worker/domain/ports/auditStore.ts";
import { mustRunWrangler } from "../../scripts/local/wrangler.ts";
import { script } from "./kit/scripts.ts";

const state = mkdtempSync(path.join(os.tmpdir(), "switchyard-audit-"));
const repository = path.join(state, "repository");
const today = new Date().toISOString().slice(0, 10);
const chain = { organizationId: "org_a", projectId: "proj_1" };
const database = ["--local", "--persist-to", path.join(state, "cloudflare")];
const audit = (...args: string[]) => script("audit", ["verify", "--state", state, ...args]);
const execute = (sql: string) =>
  mustRunWrangler("Writing", ["d1", "execute", "switchyard", ...database, "--command", sql]);
const git = (...args: string[]) => execFileSync("git", ["-C", repository, ...args]);

const lines: AuditLine[] = [1, 2, 3].map((seq) => ({
  ...chain,
  ...{ seq, id: `log_${seq}`, subjectId: "task_1", actor: "user:ada", action: "a" },
  ...{ message: "It's a line.", details: seq === 2 ? '{"agent":"gemini"}' : null, atMs: seq },
}));

/** Three lines under two seals; the second one's head stands in a commit and in an anchor too. */
beforeAll(async () => {
  expect((await script("bootstrap", ["--state", state, "--organization", "org_a"])).code).toBe(0);
  const first = (await sealOf(chain, genesis, lines.slice(0, 2), { limit: 9, nowMs: 1 })) as Seal;
  const second = (await sealOf(chain, first, lines.slice(2), { limit: 9, nowMs: 2 })) as Seal;
  await execute([...lines.map(lineSql), ...[first, second].map(sealSql)].join(";"));
  const { number, hash } = second;
  const anchor = path.join(state, "anchor.json");
  writeFileSync(anchor, JSON.stringify({ ...chain, day: today, number, hash }));
  const key = `switchyard-artifacts/audit/org_a/proj_1/${today}.json`;
  await mustRunWrangler("Anchoring", ["r2", "object", "put", key, ...database, "--file", anchor]);
  execFileSync("git", ["init", "-q", repository]);
  const who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
  const trailer = `Switchyard-Audit: ${auditTrailer("proj_1", `${number}:${hash}`)}`;
  git(...who, "commit", "-q", "--allow-empty", "-m", `Work\n\n${trailer}`);
  git("branch", "factory/ORD-1");
});
afterAll(() => rmSync(state, { recursive: true, force: true }));

it("says that the trail is as it was sealed, in the database, the commits and the anchors", async () => {
  const { code, stdout, stderr } = await audit("--repository", repository, "--anchors", "1");

  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("org_a\n");
  expect(stdout).toContain("✓ of no project: 1 line, 0 seals, 1 not sealed yet");
  expect(stdout).toContain("✓ proj_1: 3 lines, 2 seals, held against 2 heads elsewhere");
  expect(stdout).toContain("✓ the audit trail is as it was sealed: 1 organization");
});

it("finds what was changed and what was cut off, and says where", async () => {
  await execute(
    `drop trigger operation_logs_refuse_update; drop trigger operation_logs_refuse_delete;
     drop trigger operation_log_seals_refuse_delete;
     update operation_logs set details = null where project_id = 'proj_1' and seq = 2;
     delete from operation_logs where project_id = 'proj_1' and seq = 3;
     delete from operation_log_seals where project_id = 'proj_1' and number = 2`,
  );

  const options = ["--project", "proj_1", "--repository", repository, "--anchors", "1", "--json"];
  const { code, stdout } = await audit(...options);

  expect(code).toBe(1);
  const { intact, organizations } = JSON.parse(stdout);
  expect(intact).toBe(false);
  const faults = organizations[0].chains[0].faults as { kind: string; message: string }[];
  expect(faults.map(({ kind }) => kind)).toEqual(["line_changed", "chain_cut", "chain_cut"]);
  expect(faults[0]?.message).toMatch(/^line 2 \(a of task_1\) is not what seal 1 was made of/);
  expect(faults[1]?.message).toContain(`the anchor of ${today} holds seal 2`);
  expect(faults[2]?.message).toMatch(/^commit [0-9a-f]{12} holds seal 2, and the chain has 1/);
});

it.each([
  [[], 'verify, not ""'],
  [["verify", "--stat", "x"], "--stat"],
  [["verify", "--anchors", "all"], "--anchors"],
  [["verify", "--repository", state], "git cannot read"],
  [["verify", "--state", path.join(state, "nowhere")], "there is no database in"],
])("called wrongly with %j says how to call it", async (args, expected) => {
  const { code, stderr } = await script("audit", args);

  expect(code).toBe(2);
  expect(stderr).toContain(expected);
  expect(stderr).toContain("usage: npm run audit -- verify");
});

const text = (value: string | null): string =>
  value === null ? "null" : `'${value.replaceAll("'", "''")}'`;

const lineSql = (line: AuditLine): string =>
  `insert into operation_logs (organization_id, subject_id, id, project_id, actor, action, message, details, at_ms, seq)
   values (${[line.organizationId, line.subjectId, line.id, line.projectId, line.actor, line.action, line.message, line.details].map(text).join(", ")}, ${line.atMs}, ${line.seq})`;

const sealSql = (seal: Seal): string =>
  `insert into operation_log_seals values ('org_a', 'proj_1', ${seal.number}, ${seal.firstSeq}, ${seal.lastSeq}, '${seal.digests}', '${seal.hash}', ${seal.sealedAtMs})`;
