import { beforeEach, describe, expect, it } from "vitest";
import type { Forge, RunKind, Runner } from "../../orchestrator/worker/domain/ports/runner.ts";
import type { NumberedEvent } from "../../shared/contracts/agentEvent.ts";
import type { PatchRunRequest, RunRequest } from "../../shared/contracts/runner.ts";

export type RunnerWorld = {
  agents: Runner;
  patches: Runner;
  forge: Forge;
  /** A run that says something and then works until it is stopped. */
  staying: RunRequest;
  /** A run that says something, changes nothing and ends well. */
  ending: RunRequest;
  /** A patch set that applies, with no commands. */
  patch: PatchRunRequest;
  /** The same with two commands: the first prints `printed`, the second "short". */
  printing: PatchRunRequest;
  /** A commit with the files of `filesOfBase`. */
  baseCommit: string;
};

/** More than a tail holds. */
export const printed = Array.from({ length: 3_000 }, (_, n) => `line ${n}: ü\n`).join("");

export const filesOfBase = { "a.txt": "one\n", "d/e/f.txt": "two\n", "d/g.txt": "three\n" };

/** What every runner must do, the real one and the fake that stands in for it. */
export function runnerSuite(open: () => Promise<RunnerWorld>): void {
  let world: RunnerWorld;

  beforeEach(async () => {
    world = await open();
  });

  const codeOf = async (call: Promise<unknown>) => {
    try {
      await call;
      return "no error";
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };

  /** Follows a run to its end, over as many calls as it takes. */
  const follow = async (runner: Runner, kind: RunKind, id: string) => {
    const events: NumberedEvent[] = [];
    for (;;) {
      await runner.follow(kind, id, {
        after: events.length,
        waitMs: 10_000,
        onEvents: (batch) => events.push(...batch),
      });
      const result = kind === "runs" ? await runner.runResult(id) : await runner.patchResult(id);
      if (result.report !== null && events.length >= result.lastEvent) return { events, result };
    }
  };
  const stop = async (id: string) => {
    await world.agents.cancel("runs", id, 1, "cancel");
    return follow(world.agents, "runs", id);
  };

  describe("health", () => {
    it("tells the protocols and the agents with their versions", async () => {
      const health = await world.agents.health(3_000);
      expect(health.protocols).toContain("runner/1");
      expect(health.agents[world.ending.agent]?.version).toBeTruthy();
      expect(health.live).toBeNull();
    });
  });

  describe("a run", () => {
    it("goes to its end, with events from 1 without a gap and a report", async () => {
      await world.agents.startRun("exec_1", world.ending);

      const { events, result } = await follow(world.agents, "runs", "exec_1");

      expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
      expect(result).toMatchObject({
        id: "exec_1",
        fence: 1,
        state: "finished",
        lastEvent: events.length,
        report: { stoppedBy: null, terminal: { ok: true }, exit: { exitCode: 0 }, fault: null },
      });
    });

    it("is the same one when it is put again, before and after its end", async () => {
      await world.agents.startRun("exec_1", world.ending);
      await world.agents.startRun("exec_1", world.ending);
      const first = await follow(world.agents, "runs", "exec_1");

      const again = await world.agents.startRun("exec_1", world.ending);

      expect(again).toMatchObject({ state: "finished", lastEvent: first.events.length });
      expect((await follow(world.agents, "runs", "exec_1")).events).toEqual(first.events);
    });

    it("is not begun when it was meant for an earlier start of the runner", async () => {
      const { boot } = await world.agents.health(3_000);

      const late = world.agents.startRun("exec_1", world.ending, { boot: "another start" });
      expect(await codeOf(late)).toBe("runner_unreachable");
      expect(await codeOf(world.agents.runResult("exec_1"))).toBe("run_not_found");

      await world.agents.startRun("exec_1", world.ending, boot === undefined ? {} : { boot });
      const again = world.agents.startRun("exec_1", world.ending, { boot: "another start" });
      expect(await codeOf(again)).toBe("no error");
    });

    it("keeps another one out while it is live", async () => {
      await world.agents.startRun("exec_1", world.staying);
      expect(await codeOf(world.agents.startRun("exec_2", world.ending))).toBe("busy");
      expect((await world.agents.health(3_000)).live).toBe("exec_1");
      await stop("exec_1");
      expect(await codeOf(world.agents.startRun("exec_2", world.ending))).toBe("no error");
    });

    it("refuses a call with a lower fence", async () => {
      await world.agents.startRun("exec_1", { ...world.ending, fence: 2 });
      expect(await codeOf(world.agents.startRun("exec_1", world.ending))).toBe("stale_fence");
      expect(await codeOf(world.agents.cancel("runs", "exec_1", 1, "cancel"))).toBe("stale_fence");
    });

    it("is not begun when its cancel came first", async () => {
      const cancel = world.agents.cancel("runs", "exec_1", 1, "cancel");
      expect(await codeOf(cancel)).toBe("run_not_found");

      expect(await codeOf(world.agents.startRun("exec_1", world.ending))).toBe("stale_fence");
      expect(await codeOf(world.agents.runResult("exec_1"))).toBe("run_not_found");
    });

    it("that nobody started is unknown", async () => {
      for (const call of [
        () => world.agents.runResult("exec_9"),
        () => world.agents.cancel("runs", "exec_9", 1, "cancel"),
        () => world.agents.follow("runs", "exec_9", { after: 0, waitMs: 0, onEvents: () => {} }),
      ])
        expect(await codeOf(call())).toBe("run_not_found");
    });

    it("has no report while it is live, and one that says who stopped it", async () => {
      await world.agents.startRun("exec_1", world.staying);
      expect((await world.agents.runResult("exec_1")).report).toBeNull();

      const { result } = await stop("exec_1");

      expect(result.report).toMatchObject({ stoppedBy: "cancel", terminal: null, patch: null });
    });

    it("that is over stays as it is when it is cancelled", async () => {
      await world.agents.startRun("exec_1", world.ending);
      const before = await follow(world.agents, "runs", "exec_1");

      await world.agents.cancel("runs", "exec_1", 1, "cancel");

      expect((await follow(world.agents, "runs", "exec_1")).result).toEqual(before.result);
    });
  });

  describe("following", () => {
    it("waits for more while the run is live, and no longer than it was told", async () => {
      await world.agents.startRun("exec_1", world.staying);
      const seen: NumberedEvent[] = [];
      const startedAt = performance.now();

      await world.agents.follow("runs", "exec_1", {
        after: 0,
        waitMs: 1_500,
        onEvents: (batch) => seen.push(...batch),
      });

      expect(performance.now() - startedAt).toBeGreaterThan(1_000);
      expect(seen.length).toBeGreaterThan(0);
      await stop("exec_1");
    });

    it("ends at once when it is told to", async () => {
      await world.agents.startRun("exec_1", world.staying);
      const interrupt = new AbortController();
      const following = codeOf(
        world.agents.follow("runs", "exec_1", {
          after: 0,
          waitMs: 60_000,
          signal: interrupt.signal,
          onEvents: () => interrupt.abort(),
        }),
      );
      expect(await following).toBe("runner_unreachable");
      await stop("exec_1");
    });
  });

  describe("the files of a commit", () => {
    it("are told byte for byte, and what is no file is told as such", async () => {
      const paths = ["a.txt", "d", "d/e/f.txt", "d/e/f.txt/below", "none"];

      const found = await world.forge.readFiles(world.patch.source, world.baseCommit, paths);

      const file = (text: string) => ({
        kind: "file",
        file: { bytes: new TextEncoder().encode(text), mode: "100644" },
      });
      expect([...found]).toEqual([
        ["a.txt", file("one\n")],
        ["d", { kind: "directory", files: 2 }],
        ["d/e/f.txt", file("two\n")],
        ["d/e/f.txt/below", { kind: "absent" }],
        ["none", { kind: "absent" }],
      ]);
    });

    it("are not made up where there is no such commit", async () => {
      const read = world.forge.readFiles(world.patch.source, "1".repeat(40), ["a.txt"]);
      expect(await codeOf(read)).toBe("source_unreadable");
    });
  });

  describe("a patch set", () => {
    it("is applied, and its tree told as event and in the report", async () => {
      await world.patches.startPatch("ps_1", world.patch);

      const { events, result } = await follow(world.patches, "patches", "ps_1");

      const applied = events.find(({ event }) => event.type === "patch_applied")?.event;
      expect(result.report).toMatchObject({
        kind: "applied",
        treeId: (applied as { treeId?: string })?.treeId,
        validation: { status: "none", commands: [] },
      });
    });

    it("becomes the same commit however often it is asked for, and moves no ref by that", async () => {
      await world.patches.startPatch("ps_1", world.patch);
      const { result } = await follow(world.patches, "patches", "ps_1");
      const request = {
        source: world.patch.source,
        patchSetId: "ps_1",
        treeId: (result.report as { treeId: string }).treeId,
        parent: world.baseCommit,
        message: "Do it\n",
        author: { name: "Switchyard", email: "switchyard@noreply.invalid" },
        atMs: 1_700_000_000_000,
      };

      const commit = await world.forge.commit(request);

      expect(commit).toMatch(/^[0-9a-f]{40}$/);
      expect(await world.forge.commit(request)).toBe(commit);
      expect(await world.forge.readRef(world.patch.source, "refs/heads/factory/ORD-1")).toBeNull();
      expect(await move(null, commit)).toEqual({ kind: "moved" });
      expect(await world.forge.readRef(world.patch.source, "refs/heads/factory/ORD-1")).toBe(
        commit,
      );
      expect(await move(null, commit)).toEqual({ kind: "lost", current: commit });
      expect(await move(world.baseCommit, commit)).toEqual({ kind: "lost", current: commit });

      const next = await world.forge.commit({ ...request, parent: commit });
      await move(commit, next);
      expect(await move(null, commit)).toEqual({ kind: "lost", current: next, contains: true });
    });

    it("has what a command printed kept whole, where that is more than its tail", async () => {
      await world.patches.startPatch("ps_1", world.printing);
      const { result } = await follow(world.patches, "patches", "ps_1");
      const take = (command: number) => takeOutput(world.patches, command);

      const bytes = new TextEncoder().encode(printed).length;
      expect(result.report).toMatchObject({
        validation: { status: "passed", commands: [{ output: { bytes, cut: false } }, {}] },
      });
      expect(await take(0)).toEqual({ bytes, text: printed });
      expect(await take(0)).toEqual({ bytes, text: printed });
      for (const command of [1, 2]) expect(await codeOf(take(command))).toBe("output_not_kept");
      expect(await codeOf(world.patches.takeOutput("ps_9", 0, async () => {}))).toBe(
        "run_not_found",
      );
    });

    const takeOutput = async (runner: Runner, command: number) => {
      let taken: { bytes: number; text: string } | null = null;
      await runner.takeOutput("ps_1", command, async (bytes, body) => {
        taken = { bytes, text: await new Response(body).text() };
      });
      return taken;
    };

    const move = (from: string | null, to: string) =>
      world.forge.moveRef(world.patch.source, "refs/heads/factory/ORD-1", from, to);
  });
}
