import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { tick } from "../../orchestrator/worker/entrypoints/cron.ts";
import { seal, type Tenant, type Verified, verify, write } from "./auditKit.ts";
import { codeOf } from "./envelopes.ts";
import { newTenant, newToken, withRunner } from "./world.ts";

let tenant: Tenant;

beforeEach(async () => {
  tenant = await newTenant();
});

describe("the trail of a task", () => {
  it("says of every step who, which agent, model and key name, on which base, with what result", async () => {
    withRunner();
    const projectId = await tenant.project();
    const { id } = await tenant.submit({ projectId, provider: "gemini", model: "flash" });
    await tenant.until(id, "completed");

    const { results } = await env.DB.prepare(
      "select actor, action, details from operation_logs where subject_id = ? order by seq",
    )
      .bind(id)
      .all<{ actor: string; action: string; details: string }>();
    const steps = new Map(results.map(({ action, details }) => [action, JSON.parse(details)]));

    for (const action of [
      "execution.succeeded",
      "patch.applied",
      "patch.verified",
      "patch.delivered",
    ])
      expect(steps.get(action), action).toMatchObject({
        agent: "gemini",
        keyName: "GEMINI_API_KEY",
        baseCommit: "b".repeat(40),
        patchSetId: expect.stringMatching(/^ps_/),
        contentKey: expect.any(String),
      });
    expect(steps.get("task.assigned")).toMatchObject({ agent: "gemini", model: "flash" });
    expect(steps.get("patch.delivered").commitSha).toMatch(/^[0-9a-f]{40}$/);
    expect(results.map(({ actor }) => actor)).toContain("user:ada");
    expect(JSON.stringify(results)).not.toContain("key-of-gemini");
  });

  it("is named by the commit, as it was sealed when the validation began", async () => {
    const runner = withRunner();
    const projectId = await tenant.project();
    await tick(compose(env));
    const [chain] = (await verify(tenant, `?projectId=${projectId}`)).chains;
    const { id } = await tenant.submit({ projectId, provider: "gemini" });
    await tenant.until(id, "completed");

    const [message = ""] = runner.messages;
    expect(message).toContain(`\nSwitchyard-Audit: ${projectId} 1:${chain?.head.hash}\n`);
  });
});

describe("the verification", () => {
  it("finds the trail intact, and tells the anchors in R2", async () => {
    await write(tenant, 3);
    await seal();

    const report = await verify(tenant);

    expect(report).toMatchObject({ intact: true, strays: [] });
    expect(report.chains).toMatchObject([{ projectId: "", lines: 4, unsealed: 0, evidence: 1 }]);
    expect(report.anchors).toMatchObject([{ projectId: "", number: 1 }]);
  });

  it("is for admins, and of their organization alone", async () => {
    await write(tenant, 1);
    await seal();
    const other = await newTenant();
    const member = await newToken(tenant.organizationId, "member");

    const asMember = await member.call("GET", "/api/v1/admin/audit/verify");
    const asOther = await other.call("GET", "/api/v1/admin/audit/verify");

    expect(await codeOf(asMember)).toBe("403 forbidden");
    const { chains, anchors } = await asOther.json<Verified>();
    const seen = [...chains, ...anchors].map(({ organizationId }) => organizationId);
    expect(seen).not.toContain(tenant.organizationId);
  });

  it("never overwrites an anchor", async () => {
    const { anchors } = compose(env);
    const one = { organizationId: tenant.organizationId, projectId: "p", day: "2026-11-21" };

    expect(await anchors.place({ ...one, number: 1, hash: "a" })).toMatchObject({ number: 1 });
    expect(await anchors.place({ ...one, number: 2, hash: "b" })).toMatchObject({ number: 1 });
    expect(await anchors.ofChain(one)).toEqual([{ ...one, number: 1, hash: "a" }]);
    expect(await anchors.projects(tenant.organizationId)).toEqual(["p"]);
  });
});
