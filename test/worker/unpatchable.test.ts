import { beforeEach, describe, expect, it } from "vitest";
import type { RunRequest } from "../../shared/contracts/runner.ts";
import type { TaskView } from "../../shared/contracts/task.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import { newTenant, withRunner } from "./world.ts";

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;

const final = ["completed", "failed", "cancelled", "escalated"];
const message = "The agent changed symbolic links, which no patch can hold: link.";

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
});

/** The first so many runs leave what no patch can hold. */
function leaveUnpatchable(times: number): void {
  let left = times;
  runner.onRun = (run) => {
    left -= 1;
    run.finish(left >= 0 ? { patch: null, fault: { code: "unpatchable", message } } : {});
  };
}

async function submit(depth: number) {
  const projectId = await tenant.project({ remediation: { depth } });
  const { id } = await tenant.submit({ projectId, provider: "gemini" });
  return tenant.until(id, ...final);
}

const prompts = () =>
  [...runner.runs.values()].map(({ request }) => (request as RunRequest).prompt);
const tasksOf = async () =>
  (await (await tenant.call("GET", "/api/v1/tasks")).json<{ tasks: TaskView[] }>()).tasks;

describe("a run of which no patch can be made", () => {
  it("is put right by an agent that is told why, and its task takes the commit", async () => {
    leaveUnpatchable(1);

    const task = await submit(2);

    expect(task).toMatchObject({
      status: "completed",
      outcome: { code: "delivered" },
      commit: { sha: runner.refs.get(`refs/heads/factory/${task.orderId}`) },
    });
    expect(prompts()[1]).toContain(`could not be delivered: ${message}`);
    expect(prompts()[1]).toContain("Make the whole change again");
    expect(await tasksOf()).toMatchObject([
      { kind: "remediation", parentId: task.id, status: "completed" },
      { id: task.id },
    ]);
  });

  it("fails with the whole story when that is used up, and at once where there is none", async () => {
    leaveUnpatchable(9);

    const [task, plain] = [await submit(1), await submit(0)];

    expect(task).toMatchObject({ status: "failed", outcome: { code: "patch_rejected" } });
    expect(task.outcome?.message).toContain("It was tried 2 times.");
    expect(task.outcome?.message).toContain(`by gemini: ${message}`);
    expect(plain).toMatchObject({ status: "failed", outcome: { code: "patch_rejected", message } });
    expect(await tasksOf()).toHaveLength(3);
  });
});
