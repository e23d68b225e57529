import { beforeEach, describe, expect, it } from "vitest";
import { aNewTask, aProject, aTask } from "../builders.ts";
import { log, type OpenStores, openWithProject, ref, type Stores } from "./storeWay.ts";

/** What people set and look up: projects, provider settings, lists of tasks. */
export function settingsSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  describe("a project", () => {
    it("has its id and its name for itself within the organization", async () => {
      await stores.addOrganization("org_b");
      const before = await stores.dump();

      expect(await stores.projects.create(aProject({ id: "proj_2" }), log)).toEqual({
        kind: "lost",
      });
      expect(await stores.projects.create(aProject({ name: "other" }), log)).toEqual({
        kind: "lost",
      });
      expect(await stores.dump()).toBe(before);
      const elsewhere = aProject({ organizationId: "org_b" });
      expect(await stores.projects.create(elsewhere, log)).toEqual({ kind: "done" });
      expect(await stores.projects.find("org_b", "proj_1")).toEqual(elsewhere);
    });

    it("belongs to an organization that is there", async () => {
      const created = stores.projects.create(aProject({ organizationId: "org_x" }), log);
      await expect(created).rejects.toMatchObject({ code: "store_unavailable" });
    });

    it("is listed newest first, in pages", async () => {
      await stores.projects.create(aProject({ id: "proj_2", name: "second" }), log);
      const list = async (before: string | null, limit: number) =>
        (await stores.projects.list("org_a", before, limit)).map(({ id }) => id);

      expect(await list(null, 9)).toEqual(["proj_2", "proj_1"]);
      expect(await list(null, 1)).toEqual(["proj_2"]);
      expect(await list("proj_2", 9)).toEqual(["proj_1"]);
    });
  });

  it("keeps what an organization has set last for a provider", async () => {
    const config = {
      enabled: true,
      apiEndpoint: null,
      defaultModel: "large",
      rateLimits: { maxLive: 2 },
      costPerToken: {},
    };
    await stores.providerConfigs.put("org_a", "gemini", config, 1, log);
    await stores.providerConfigs.put("org_a", "codex", config, 1, log);
    await stores.providerConfigs.put("org_a", "gemini", { ...config, enabled: false }, 2, log);

    expect(await stores.providerConfigs.all("org_a")).toEqual(
      new Map([
        ["codex", config],
        ["gemini", { ...config, enabled: false }],
      ]),
    );
    expect(await stores.providerConfigs.all("org_b")).toEqual(new Map());
  });

  it("lists tasks newest first, by status and project, in pages", async () => {
    await stores.projects.create(aProject({ id: "proj_2", name: "second" }), log);
    for (const [id, projectId] of [
      ["task_1", "proj_1"],
      ["task_2", "proj_2"],
      ["task_3", "proj_1"],
    ] as const)
      await stores.tasks.accept(aNewTask(aTask({ id, projectId })));
    await stores.tasks.park(ref, { fence: 0, untilMs: 9, reason: "quota", nowMs: 1, log });
    const list = async (filter: Partial<Parameters<typeof stores.tasks.list>[0]>) =>
      (await stores.tasks.list({ organizationId: "org_a", limit: 9, ...filter })).map(
        ({ id }) => id,
      );

    expect(await list({})).toEqual(["task_3", "task_2", "task_1"]);
    expect(await list({ limit: 1 })).toEqual(["task_3"]);
    expect(await list({ before: "task_3", projectId: "proj_1" })).toEqual(["task_1"]);
    expect(await list({ status: "queued" })).toEqual(["task_3", "task_2"]);
    expect(await list({ organizationId: "org_b" })).toEqual([]);
  });

  it("lets a queued task want one provider and no other, until it is claimed", async () => {
    await stores.tasks.accept(aNewTask(aTask({ allowFallback: true })));

    expect(await stores.tasks.prefer(ref, "codex", 2_000, log)).toEqual({ kind: "done" });
    expect(await stores.tasks.find(ref)).toMatchObject({
      preferredProvider: "codex",
      allowFallback: false,
    });
    await stores.tasks.park(ref, { fence: 0, untilMs: 9, reason: "quota", nowMs: 1, log });
    expect(await stores.tasks.prefer(ref, "gemini", 2_000, log)).toEqual({ kind: "lost" });
  });
}
