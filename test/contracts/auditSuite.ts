import { beforeEach, describe, expect, it } from "vitest";
import { sealOf } from "../../orchestrator/worker/domain/auditChain.ts";
import type { Anchor, AnchorStore } from "../../orchestrator/worker/domain/ports/anchorStore.ts";
import type { Seal } from "../../orchestrator/worker/domain/ports/auditStore.ts";
import { maxLinesPerSeal, sealLogs } from "../../orchestrator/worker/services/audit/sealLogs.ts";
import { anchorsOf, verifyLogs } from "../../orchestrator/worker/services/audit/verifyLogs.ts";
import { aLogEntry, aNewTask, aProject, aSettlement, aTask } from "../builders.ts";
import {
  log,
  type OpenStores,
  openWithProject,
  reach,
  ref,
  type Stores,
  task,
} from "./storeWay.ts";

const ofProject = { organizationId: "org_a", projectId: "proj_1" };
const ofOrganization = { organizationId: "org_a", projectId: "" };
const dayMs = 86_400_000;
const quiet = { info: () => {}, warn: () => {}, error: () => {} };

/** Anchors in memory, as R2 keeps them. */
export function memoryAnchors(): AnchorStore & { all: Map<string, Anchor> } {
  const all = new Map<string, Anchor>();
  return {
    all,
    async place(anchor) {
      const key = `${anchor.organizationId}/${anchor.projectId}/${anchor.day}`;
      const there = all.get(key) ?? anchor;
      all.set(key, there);
      return there;
    },
    projects: async (organizationId) => [
      ...new Set(
        [...all.values()]
          .filter((anchor) => anchor.organizationId === organizationId)
          .map(({ projectId }) => projectId),
      ),
    ],
    ofChain: async ({ organizationId, projectId }) =>
      [...all.values()].filter(
        (anchor) => anchor.organizationId === organizationId && anchor.projectId === projectId,
      ),
  };
}

/** The audit trail: lines in chains, seals over them, and who seals. */
export function auditSuite(open: OpenStores): void {
  let stores: Stores;
  let anchors: ReturnType<typeof memoryAnchors>;
  let nowMs: number;

  beforeEach(async () => {
    stores = await openWithProject(open);
    anchors = memoryAnchors();
    nowMs = dayMs;
  });

  const seal = (audit = stores.audit) =>
    sealLogs({ audit, anchors, clock: { nowMs: () => nowMs }, log: quiet });
  const lines = (chain = ofProject) => stores.audit.linesAfter(chain, 0, 5_000);
  const seals = (chain = ofProject) => stores.audit.seals(chain, 0, 100);
  const write = async (count: number) => {
    for (let n = 0; n < count; n += 1)
      await stores.providerConfigs.put("org_a", "gemini", aConfig, n, log);
  };
  const verify = () => verifyLogs(stores.audit, "org_a", { evidenceOf: anchorsOf(anchors) });

  describe("a line", () => {
    it("is the next one of the chain of its task's project, in the order of the writes", async () => {
      await stores.projects.create(aProject({ id: "proj_2", name: "second" }), log);
      await reach(stores, "completed");
      await write(2);

      const found = await lines();
      expect(found.map(({ seq }) => seq)).toEqual(found.map((_, at) => at + 1));
      expect(found.map(({ subjectId }) => subjectId)).toContain("task_1");
      expect((await lines(ofOrganization)).map(({ seq }) => seq)).toEqual([1, 2]);
      expect(await lines({ ...ofProject, projectId: "proj_2" })).toHaveLength(1);
      expect((await stores.audit.chainsOf("org_a")).map(({ projectId }) => projectId)).toEqual([
        "",
        "proj_1",
        "proj_2",
      ]);
    });

    it("takes no place when its batch is lost", async () => {
      await reach(stores, "running");
      const before = await lines();

      const late = await stores.executions.markRunning({ ...ref, fence: 7 }, 9_000, log);
      expect(late.kind).toBe("lost");
      await stores.tasks.requestCancel(ref, 9_000, log);

      expect((await lines()).map(({ seq }) => seq)).toEqual([...before, 0].map((_, at) => at + 1));
    });
  });

  describe("the sealer", () => {
    it("seals every line of every chain once, and what comes later after it", async () => {
      await reach(stores, "running");
      await write(1);

      expect(await seal()).toEqual({ seals: 2, anchors: 2 });
      expect(await seal()).toEqual({ seals: 0, anchors: 0 });
      await write(2);
      expect(await seal()).toEqual({ seals: 1, anchors: 0 });

      const [first, second, ...more] = await seals(ofOrganization);
      expect(more).toEqual([]);
      expect(first).toMatchObject({ number: 1, firstSeq: 1, lastSeq: 1 });
      expect(second).toMatchObject({ number: 2, firstSeq: 2, lastSeq: 3 });
      expect(await verify()).toMatchObject({ intact: true });
    });

    it("seals once when two run at the same moment", async () => {
      await reach(stores, "running");

      const both = await Promise.all([seal(), seal()]);

      expect(both.reduce((sum, { seals: made }) => sum + made, 0)).toBe(1);
      expect(await seals()).toHaveLength(1);
      expect(await verify()).toMatchObject({ intact: true });
    });

    it("loses a seal whose head is not the newest any more, and changes nothing with it", async () => {
      await reach(stores, "running");
      const late = (await sealOf(ofProject, { number: 0, lastSeq: 0, hash: "" }, await lines(), {
        limit: 1,
        nowMs: 5,
      })) as Seal;
      await seal();
      const before = await stores.dump();

      expect(await stores.audit.appendSeal(late, "")).toEqual({ kind: "lost" });
      expect(await stores.audit.appendSeal({ ...late, number: 2 }, late.hash)).toEqual({
        kind: "lost",
      });
      expect(await stores.dump()).toBe(before);
    });

    it("goes on where a crash has cut it off, before or after its write", async () => {
      await reach(stores, "running");
      const { audit } = stores;
      const cut = async () => {
        throw new Error("cut off");
      };
      const before = { ...audit, appendSeal: cut };
      const after = {
        ...audit,
        appendSeal: async (...input: Parameters<typeof audit.appendSeal>) =>
          audit.appendSeal(...input).then(cut),
      };
      const unnoted = { ...audit, noteAnchor: cut };

      for (const broken of [before, after, unnoted])
        await expect(seal(broken)).rejects.toThrow("cut");
      expect(await seal()).toEqual({ seals: 0, anchors: 1 });

      expect(await seals()).toHaveLength(1);
      expect(await verify()).toMatchObject({ intact: true });
    });

    it("anchors a head once a day, and the newest of an idle chain the day after", async () => {
      await write(1);
      await seal();
      await write(1);
      await seal();
      nowMs += dayMs;

      expect(await seal()).toEqual({ seals: 0, anchors: 1 });
      nowMs += dayMs;
      expect(await seal()).toEqual({ seals: 0, anchors: 0 });
      const held = await anchors.ofChain(ofOrganization);
      expect(held.map(({ day, number }) => [day, number])).toEqual([
        ["1970-01-02", 1],
        ["1970-01-03", 2],
      ]);
    });

    it("seals over a thousand lines of a chain in one tick, in seals of a bounded size", async () => {
      await reach(stores, "running");
      const many = Array.from({ length: 1_100 }, (_, n) => aLogEntry(`line ${n}`));
      await stores.executions.settle(aSettlement(task, { log: many }));

      await seal();

      const { length } = await lines();
      const made = await seals();
      expect(made.map(({ lastSeq }) => lastSeq)).toEqual([256, 512, 768, 1_024, length]);
      expect(made.every((one) => one.lastSeq - one.firstSeq < maxLinesPerSeal)).toBe(true);
      const { intact, chains } = await verify();
      expect({ intact, lines: chains[0]?.lines }).toEqual({ intact: true, lines: length });
    });

    it("finds every chain, however small its pages are", async () => {
      await stores.addOrganization("org_b");
      await stores.projects.create(aProject({ organizationId: "org_b", id: "proj_9" }), log);
      await stores.providerConfigs.put("org_b", "gemini", aConfig, 1, log);
      await write(1);
      const found: string[] = [];
      let after: Parameters<typeof stores.audit.chains>[0] = null;
      do {
        const page: Awaited<ReturnType<typeof stores.audit.chains>> = await stores.audit.chains(
          after,
          2,
        );
        found.push(...page.chains.map((chain) => `${chain.organizationId}/${chain.projectId}`));
        after = page.next;
      } while (after !== null);

      expect(found).toEqual(["org_a/", "org_a/proj_1", "org_b/", "org_b/proj_9"]);
    });
  });

  describe("a patch set", () => {
    it("keeps the head of its project's chain as it was when its validation began", async () => {
      await reach(stores, "patching");
      await seal();
      await stores.tasks.accept(aNewTask(aTask({ id: "task_2" })));
      await seal();
      const head = (await seals()).at(-1);
      await stores.patchSets.beginValidation(
        { organizationId: "org_a", taskId: "task_1", fence: 1, patchSetId: "ps_task_1" },
        { treeId: "7".repeat(40), nowMs: 4_500, log },
      );
      await seal();

      const story = await stores.tasks.findStory({ organizationId: "org_a", taskId: "task_1" });
      expect(story?.patch?.auditHead).toBe(`2:${head?.hash}`);
    });
  });
}

const aConfig = {
  enabled: true,
  apiEndpoint: null,
  defaultModel: null,
  rateLimits: {},
  costPerToken: {},
};
