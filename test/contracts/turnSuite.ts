import { beforeEach, describe, expect, it } from "vitest";
import type { Task } from "../../orchestrator/worker/domain/task.ts";
import { aClaim, aNewTask, aProject, aTask } from "../builders.ts";
import {
  anAsking,
  attempt,
  log,
  type OpenStores,
  openWithProject,
  reach,
  ref,
  type Stores,
} from "./storeWay.ts";

/** Which task is looked at next, and beside how many it would run. */
export function turnSuite(open: OpenStores): void {
  let stores: Stores;

  beforeEach(async () => {
    stores = await openWithProject(open);
  });

  describe("the sweep", () => {
    it("finds what is due, of any organization, and no final task", async () => {
      await reach(stores, "queued");
      expect(await stores.tasks.dueForSweep(600_999, 10)).toEqual([]);
      expect(await stores.tasks.dueForSweep(601_000, 10)).toMatchObject([
        { ref, status: "queued", fence: 0, executionStatus: null, sends: 1 },
      ]);

      await stores.tasks.postponeSweep(ref, 900_000, 2);

      expect(await stores.tasks.dueForSweep(899_999, 10)).toEqual([]);
      expect(await stores.tasks.dueForSweep(900_000, 10)).toMatchObject([{ sends: 2 }]);
    });

    it("forgets a task that has ended", async () => {
      await reach(stores, "completed");
      await stores.tasks.postponeSweep(ref, 1, 9);
      expect(await stores.tasks.dueForSweep(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    });
  });

  describe("who goes next", () => {
    const queue = async (organizationId: string, id: string, changes: Partial<Task> = {}) => {
      const waiting = aTask({ organizationId, id, orderId: `ORD-${id.slice(5)}`, ...changes });
      await stores.tasks.accept(aNewTask(waiting));
      return waiting;
    };
    const delay = ({ organizationId, id: taskId }: Task, reason: string) =>
      stores.tasks.delay({ organizationId, taskId }, { ...wait, reason });
    const wait = { fence: 0, untilMs: 50_000, nowMs: 2_000 };

    it("is the oldest task of the organization that waited longest", async () => {
      await stores.addOrganization("org_b");
      await stores.projects.create(aProject({ organizationId: "org_b" }), log);
      const first = await queue("org_a", "task_1");
      await queue("org_a", "task_2");
      await queue("org_b", "task_3");
      expect(await stores.tasks.nextWaiting(5_000, 10)).toEqual([
        { organizationId: "org_a", taskId: "task_1" },
        { organizationId: "org_b", taskId: "task_3" },
      ]);

      await stores.tasks.claim(aClaim(first));

      expect(await stores.tasks.nextWaiting(5_000, 10)).toEqual([
        { organizationId: "org_b", taskId: "task_3" },
        { organizationId: "org_a", taskId: "task_2" },
      ]);
    });

    it("passes over a task that waits for a time, but not over one that waits for a slot", async () => {
      await queue("org_a", "task_1");
      await queue("org_a", "task_2");
      await stores.tasks.delay(ref, { ...wait, reason: "provider_unavailable" });
      expect(await stores.tasks.nextWaiting(5_000, 1)).toMatchObject([{ taskId: "task_2" }]);

      await stores.tasks.delay(ref, { ...wait, reason: "no_capacity" });

      expect(await stores.tasks.nextWaiting(5_000, 1)).toMatchObject([{ taskId: "task_1" }]);
    });

    it("is another organization's task when all of the first one wait for a time", async () => {
      await stores.addOrganization("org_b");
      await stores.projects.create(aProject({ organizationId: "org_b" }), log);
      const late = await queue("org_a", "task_1");
      await delay(late, "provider_unavailable");
      await queue("org_b", "task_3");

      expect(await stores.tasks.nextWaiting(5_000, 1)).toEqual([
        { organizationId: "org_b", taskId: "task_3" },
      ]);
    });

    it("counts a task that waits for its organization only when that has a free slot", async () => {
      const waiting = await queue("org_a", "task_1");
      await delay(waiting, "organization_capacity");
      const next = (organizationId: string) =>
        stores.tasks.nextWaiting(5_000, 9, { organizationId, projectId: "proj_9" });

      expect(await stores.tasks.nextWaiting(5_000, 9)).toEqual([]);
      expect(await next("org_b")).toEqual([]);
      expect(await next("org_a")).toEqual([ref]);
    });

    it("counts a task that waits for its project only when that has a free slot", async () => {
      const waiting = await queue("org_a", "task_1");
      await delay(waiting, "project_capacity");
      const next = (organizationId: string, projectId: string) =>
        stores.tasks.nextWaiting(5_000, 9, { organizationId, projectId });

      expect(await stores.tasks.nextWaiting(5_000, 9)).toEqual([]);
      expect(await next("org_a", "proj_9")).toEqual([]);
      expect(await next("org_b", "proj_1")).toEqual([]);
      expect(await next("org_a", "proj_1")).toEqual([ref]);
    });

    it("is any task whose time has come, whatever it waited for", async () => {
      const waiting = await queue("org_a", "task_1");
      await delay(waiting, "project_capacity");

      expect(await stores.tasks.nextWaiting(49_999, 9)).toEqual([]);
      expect(await stores.tasks.nextWaiting(50_000, 9)).toEqual([ref]);
    });
  });

  describe("the live executions", () => {
    it("are counted for all, the provider here, the organization and the project", async () => {
      await stores.addOrganization("org_b");
      await stores.projects.create(aProject({ organizationId: "org_b" }), log);
      await stores.projects.create(aProject({ id: "proj_2", name: "second" }), log);
      const run = async (changes: Partial<Task>, provider = "gemini") => {
        const one = aTask({ orderId: `ORD-${changes.id?.slice(5)}`, ...changes });
        await stores.tasks.accept(aNewTask(one));
        const claim = aClaim(one);
        const assignment = { ...claim.assignment, provider };
        expect(await stores.tasks.claim({ ...claim, assignment })).toEqual({ kind: "done" });
      };
      await run({ id: "task_1" });
      await run({ id: "task_2" }, "codex");
      await run({ id: "task_3", projectId: "proj_2" });
      await run({ id: "task_4", organizationId: "org_b" });

      const at = { organizationId: "org_a", projectId: "proj_1", provider: "gemini" };
      expect(await stores.tasks.liveCounts(at)).toEqual({
        all: 4,
        provider: 2,
        organization: 3,
        project: 2,
      });
      expect(await stores.executions.countLive("org_a", "gemini")).toBe(2);
    });

    it("are those that have not settled", async () => {
      await reach(stores, "starting");
      const at = { organizationId: "org_a", projectId: "proj_1", provider: "gemini" };
      expect(await stores.tasks.liveCounts(at)).toMatchObject({ all: 1, project: 1 });

      await stores.executions.markRunning(attempt, 3_500, log);
      await stores.executions.settle(anAsking());

      expect(await stores.tasks.liveCounts(at)).toMatchObject({ all: 0, project: 0 });
    });
  });
}
