import { env } from "cloudflare:workers";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { compose } from "../../orchestrator/worker/compose.ts";
import { doctorChecks } from "../../orchestrator/worker/database/doctorChecks.ts";
import { type DoctorReport, examine } from "../../orchestrator/worker/services/doctor/examine.ts";
import { damages } from "./doctorDamages.ts";
import { forget, insert, writeSoundRows } from "./doctorRows.ts";
import { codeOf } from "./envelopes.ts";
import { newTenant, newToken, tickFor, withRunner } from "./world.ts";

type Tenant = Awaited<ReturnType<typeof newTenant>>;

const written: string[] = [];
let tenant: Tenant;

beforeEach(async () => {
  tenant = await newTenant();
});

afterAll(async () => {
  for (const organizationId of written) await forget(organizationId);
});

const ask = async ({ call }: Pick<Tenant, "call">) =>
  (await call("GET", "/api/v1/admin/doctor")).json<DoctorReport>();

async function soundTenant(): Promise<Tenant> {
  const sound = await newTenant();
  written.push(sound.organizationId);
  await writeSoundRows(sound.organizationId);
  return sound;
}

describe("the doctor", () => {
  it("finds nothing in what really happened: delivered, unchanged, failed, cancelled, escalated, waiting", async () => {
    const runner = withRunner();
    const projectId = await tenant.project();
    const submit = () => tenant.submit({ projectId, provider: "gemini" });
    const ends = async (...statuses: string[]) => tenant.until((await submit()).id, ...statuses);

    await ends("completed");
    runner.onRun = (run) => run.finish({ patch: null });
    await ends("completed");
    runner.onRun = (run) => run.finish({ terminal: null });
    await ends("failed");
    runner.onRun = (run) => run.finish();
    runner.onPatch = (patch) => patch.finish({ kind: "engine_mismatch", message: "Other trees." });
    await ends("escalated");
    runner.onRun = (run) => run.finish({ question: { kind: "question", text: "Which?" } });
    const asking = await ends("waiting_input");
    runner.onRun = () => {};
    const running = await ends("running");
    expect(await ask(tenant)).toMatchObject({ healthy: true, findings: [] });

    await tenant.call("POST", `/api/v1/tasks/${asking.id}/cancel`);
    await tenant.call("POST", `/api/v1/tasks/${running.id}/cancel`);
    await tickFor(running.id);
    await tenant.until(running.id, "cancelled");

    expect(await ask(tenant)).toMatchObject({ healthy: true, findings: [] });
  });

  it("finds nothing in rows of every state, and says what rows cannot show", async () => {
    const report = await ask(await soundTenant());

    expect(report).toMatchObject({ healthy: true, findings: [] });
    expect(report.notApplicable.map(({ invariant }) => invariant)).toEqual([
      "I5",
      "I7",
      "I9",
      "I10",
      "I11",
      "I12",
      "I14",
    ]);
  });

  it("is for admins", async () => {
    for (const role of ["viewer", "member", "approver"] as const) {
      const { call } = await newToken(tenant.organizationId, role);
      expect(await codeOf(await call("GET", "/api/v1/admin/doctor"))).toBe("403 forbidden");
    }
  });

  it("counts all there is and shows the first twenty", async () => {
    const { organizationId, call } = await soundTenant();
    const keys = Array.from({ length: 23 }, (_, at) => `old-${String(at).padStart(2, "0")}`);
    const row = { request_sha256: "", answer: "{}", expires_at_ms: 1 };
    await env.DB.batch(
      keys.map((key) => insert(organizationId, "idempotency_records", { key, ...row })),
    );

    const [finding] = (await ask({ call })).findings;

    expect(finding).toMatchObject({ name: "key_kept_too_long", count: 23 });
    expect(finding?.examples.map(({ id }) => id)).toEqual(keys.slice(0, 20));
  });
});

describe("a damage", () => {
  it.each(damages)("%s names %s, and nothing else does", async (check, id, ...damage) => {
    const [broken, other] = [await soundTenant(), await soundTenant()];
    await env.DB.batch(
      damage.map((one) =>
        typeof one === "string"
          ? env.DB.prepare(one).bind(broken.organizationId)
          : insert(broken.organizationId, ...one),
      ),
    );

    const { healthy, findings } = await ask(broken);

    expect(healthy).toBe(false);
    expect(findings).toMatchObject([{ name: check, count: 1, examples: [{ id }] }]);
    expect(findings[0]?.examples[0]?.detail).toBeTruthy();
    expect(await ask(other)).toMatchObject({ healthy: true, findings: [] });
  });

  it("of a message that does not say whose it is lies under no organization", async () => {
    const row = { id: "dl_1", task_id: "", message_id: "m1", status: "moot" };
    await insert("-", "dead_letters", { ...row, because: "Not JSON.", created_at_ms: 1 }).run();
    written.push("-");

    const { findings } = await examine(compose(env), { organizationId: "-" });

    expect(findings).toMatchObject([
      { name: "message_unreadable", count: 1, examples: [{ id: "dl_1", detail: "Not JSON." }] },
    ]);
    expect(await ask(tenant)).toMatchObject({ healthy: true });
  });

  it("of every kind that the doctor knows is done above", () => {
    const done = new Set([...damages.map(([check]) => check), "message_unreadable"]);
    expect(doctorChecks.map(({ name }) => name).sort()).toEqual([...done].sort());
  });
});
