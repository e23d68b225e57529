import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import type { PatchControl, RunControl } from "../fakes/fakeRuns.ts";
import { newTenant, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;
let projectId: string;
/** Of this test alone: what another one has left at work must not come to its branch. */
let orderId: string;
let branch: string;

beforeEach(async () => {
  orderId = `ORD-${crypto.randomUUID().slice(0, 8)}`;
  branch = `refs/heads/factory/${orderId}`;
  runner = withRunner();
  tenant = await newTenant();
  projectId = await tenant.project();
});

const final = ["completed", "failed", "cancelled", "escalated"];
const submit = () => tenant.submit({ projectId, provider: "gemini", orderId });
const untilItWaits = (id: string) =>
  vi.waitFor(async () =>
    expect(await tenant.show(id)).toMatchObject({
      status: "queued",
      waiting: { reason: "order_busy" },
    }),
  );

describe("a task whose order has another one at work", () => {
  it("waits for it while its agent works", async () => {
    const controls: RunControl[] = [];
    runner.onRun = (run) => void controls.push(run);
    const first = await submit();
    await tenant.until(first.id, "running");

    const second = await submit();
    await untilItWaits(second.id);

    expect(runner.runs.size).toBe(1);
    runner.onRun = (run) => run.finish();
    controls[0]?.finish();
    await tenant.until(second.id, "completed");
  });

  it("begins with what that one delivered, and keeps its commit on the branch", async () => {
    const held: PatchControl[] = [];
    runner.onPatch = (patch) => void held.push(patch);
    const first = await submit();
    await tenant.until(first.id, "patching", "validating");
    const second = await submit();
    await untilItWaits(second.id);

    runner.onPatch = (patch) => patch.finish();
    held[0]?.finish();

    const { commit: firstCommit } = await tenant.until(first.id, "completed");
    const { commit: secondCommit } = await tenant.until(second.id, "completed");
    expect(runner.refs.get(branch)).toBe(secondCommit?.sha);
    expect(runner.parents.get(secondCommit?.sha ?? "")).toBe(firstCommit?.sha);
  });

  it("begins from where the order was when that one comes to nothing", async () => {
    runner.onRun = (run) => (runner.runs.size === 1 ? undefined : run.finish());
    const first = await submit();
    await tenant.until(first.id, "running");
    const second = await submit();
    await untilItWaits(second.id);

    await tenant.call("POST", `/api/v1/tasks/${first.id}/cancel`);

    await tenant.until(first.id, "cancelled");
    const { commit } = await tenant.until(second.id, "completed");
    expect(runner.parents.get(commit?.sha ?? "")).toBe("b".repeat(40));
  });

  it("does not keep tasks of other orders waiting", async () => {
    const held: PatchControl[] = [];
    runner.onPatch = (patch) => void held.push(patch);
    const first = await submit();
    await tenant.until(first.id, "patching", "validating");
    const second = await submit();
    await untilItWaits(second.id);
    runner.onRun = () => {};

    const other = await tenant.submit({ projectId, provider: "gemini", orderId: "ORD-8" });

    await tenant.until(other.id, "running");
    expect((await tenant.show(second.id)).status).toBe("queued");
  });
});

describe("a branch whose move was not heard of", () => {
  /** The branch is moved; then something happens to it, and the answer is lost. */
  const loseAnswer = (happen: (commit: string) => void) => {
    const answer = runner.fetch.bind(runner);
    let isLost = false;
    runner.fetch = async (request) => {
      const response = await answer(request);
      if (isLost || !request.url.endsWith("/forge/move-ref")) return response;
      isLost = true;
      happen(runner.refs.get(branch) ?? "");
      throw new TypeError("connection reset");
    };
  };

  it("is not moved twice", async () => {
    loseAnswer(() => {});

    const task = await tenant.until((await submit()).id, ...final);

    expect(task.status).toBe("completed");
    expect(runner.refs.get(branch)).toBe(task.commit?.sha);
  });

  it("is delivered all the same when somebody has gone on from the commit", async () => {
    const theirs = "e".repeat(40);
    loseAnswer((commit) => {
      runner.parents.set(theirs, commit);
      runner.refs.set(branch, theirs);
    });

    const task = await tenant.until((await submit()).id, ...final);

    expect(task).toMatchObject({ status: "completed", outcome: { code: "delivered" } });
    expect(task.commit?.sha).toBe(runner.parents.get(theirs));
    expect(runner.refs.get(branch)).toBe(theirs);
  });

  it("is a matter for a person when somebody has thrown the commit away", async () => {
    const theirs = "e".repeat(40);
    loseAnswer(() => runner.refs.set(branch, theirs));

    const task = await tenant.until((await submit()).id, ...final);

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "conflict" } });
    expect(runner.refs.get(branch)).toBe(theirs);
  });
});
