import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { hashOfSeal, sealOf } from "../../orchestrator/worker/domain/auditChain.ts";
import type { ChainReport } from "../../orchestrator/worker/domain/auditFaults.ts";
import { seal, type Tenant, type Verified, verify, write } from "./auditKit.ts";
import { newTenant } from "./world.ts";

let tenant: Tenant;

/** The tables as somebody would have them who writes past the triggers; $O = the organization. */
const run = (sql: string) =>
  env.DB.prepare(sql.replaceAll("$O", `'${tenant.organizationId}'`)).run();
const inChain = "organization_id = $O and project_id = ''";

const kindsOf = ({ chains, strays }: Verified) =>
  [...chains.flatMap(({ faults }) => faults), ...strays].map(
    ({ kind, where }) => `${kind}: ${where}`,
  );

describe("a trail that somebody changed past the triggers", () => {
  beforeAll(async () => {
    for (const name of ["logs_refuse_update", "logs_refuse_delete", "logs_refuse_replace"])
      await env.DB.exec(`drop trigger operation_${name}`);
    for (const name of ["update", "delete", "replace"])
      await env.DB.exec(`drop trigger operation_log_seals_refuse_${name}`);
    await env.DB.exec("drop index operation_logs_chain");
  });

  beforeEach(async () => {
    tenant = await newTenant();
    for (let n = 0; n < 3; n += 1) {
      await write(tenant, 2);
      await seal();
    }
    await seal(1);
    expect(await verify(tenant)).toMatchObject({ intact: true });
  });

  // Seven lines, seals over 1-3, 4-5 and 6-7, and anchors of seal 1 and seal 3.
  const columns = "organization_id, subject_id, id, project_id, actor, action, message, at_ms, seq";
  const planted = (seq: number | null, project: string | null) =>
    `insert into operation_logs (${columns}) values ($O, 's', 'planted', ${project}, 'a', 'a', 'm', 1, ${seq})`;
  it.each([
    [
      "a changed text",
      `update operation_logs set message = 'x' where ${inChain} and seq = 2`,
      ["line_changed: line 2"],
    ],
    [
      "a changed actor",
      `update operation_logs set actor = 'user:eve' where ${inChain} and seq = 7`,
      ["line_changed: line 7"],
    ],
    [
      "changed details",
      `update operation_logs set details = '{}' where ${inChain} and seq = 4`,
      ["line_changed: line 4"],
    ],
    [
      "a changed time",
      `update operation_logs set at_ms = at_ms + 1 where ${inChain} and seq = 4`,
      ["line_changed: line 4"],
    ],
    [
      "removed lines",
      `delete from operation_logs where ${inChain} and seq in (4, 5)`,
      ["line_removed: lines 4-5"],
    ],
    [
      "a removed last line",
      `delete from operation_logs where ${inChain} and seq = 7`,
      ["line_removed: line 7"],
    ],
    ["an inserted line", planted(3, "''"), ["line_inserted: line 3"]],
    ["a line before the first", planted(0, "''"), ["line_inserted: line 0"]],
    ["a line of no chain", planted(9, "null"), ["line_inserted: line planted"]],
    [
      "exchanged lines",
      `update operation_logs set seq = 9 - seq where ${inChain} and seq in (4, 5)`,
      ["line_changed: line 4", "line_changed: line 5"],
    ],
    [
      "a renumbered end",
      `update operation_logs set seq = seq - 1 where ${inChain} and seq >= 4`,
      [
        "line_inserted: line 3",
        "line_changed: line 4",
        "line_changed: line 5",
        "line_changed: line 6",
        "line_removed: line 7",
      ],
    ],
    [
      "a line in another chain",
      `update operation_logs set project_id = 'proj_x', seq = 1 where ${inChain} and seq = 2`,
      ["line_removed: line 2"],
    ],
    [
      "a removed seal",
      `delete from operation_log_seals where ${inChain} and number = 2`,
      ["seal_removed: seal 2"],
    ],
    [
      "a changed seal",
      `update operation_log_seals set hash = replace(hash, substr(hash, 1, 8), '00000000') where ${inChain} and number = 2`,
      ["seal_changed: seal 2", "seal_changed: seal 3"],
    ],
    [
      "a changed time of a seal",
      `update operation_log_seals set sealed_at_ms = 1 where ${inChain} and number = 3`,
      ["seal_changed: seal 3"],
    ],
  ])("shows %s", async (_, sql, expected) => {
    await run(sql);

    const report = await verify(tenant);

    expect(report.intact).toBe(false);
    expect(kindsOf(report)).toEqual(expected);
  });

  it("shows a cut end of both tables by the anchors alone", async () => {
    await run(`delete from operation_logs where ${inChain} and seq > 5`);
    await run(`delete from operation_log_seals where ${inChain} and number > 2`);

    const report = await verify(tenant);

    expect(kindsOf(report)).toEqual(["chain_cut: seal 3"]);
    const [chain] = report.chains as [ChainReport];
    expect(chain.faults[0]?.message).toMatch(
      /^the anchor of \d{4}-\d\d-\d\d holds seal 3, and the chain has 2 as its last\.$/,
    );
  });

  it("shows a chain that was cut off whole", async () => {
    await run(`delete from operation_logs where ${inChain}`);
    await run(`delete from operation_log_seals where ${inChain}`);

    expect(kindsOf(await verify(tenant))).toEqual(["chain_cut: seal 1", "chain_cut: seal 3"]);
  });

  it("shows a chain that was made anew, with every hash right, by the anchors", async () => {
    const chain = { organizationId: tenant.organizationId, projectId: "" };
    const { audit } = compose(env);
    await run(`update operation_logs set message = 'forged' where ${inChain} and seq = 5`);
    const [first, second, third] = await audit.seals(chain, 0, 3);
    const lines = await audit.linesBetween(chain, 4, 5);
    const made = await sealOf(chain, first as never, lines, {
      limit: 2,
      nowMs: second?.sealedAtMs ?? 0,
    });
    const hash = await hashOfSeal(third as never, made?.hash ?? "");
    await run(
      `update operation_log_seals set digests = '${made?.digests}', hash = '${made?.hash}' where ${inChain} and number = 2`,
    );
    await run(`update operation_log_seals set hash = '${hash}' where ${inChain} and number = 3`);

    expect(kindsOf(await verify(tenant))).toEqual(["chain_rewritten: seal 3"]);
  });

  it("seals a gap as one, and goes on behind it", async () => {
    await write(tenant, 3);
    await run(`delete from operation_logs where ${inChain} and seq = 9`);
    expect(kindsOf(await verify(tenant))).toEqual(["line_removed: line 9"]);
    await seal();

    const report = await verify(tenant);

    expect(kindsOf(report)).toEqual(["line_removed: line 9"]);
    expect(report.chains[0]?.unsealed).toBe(0);
  });
});
