import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { TaskDetail } from "../../shared/contracts/task.ts";
import type { FakeRunner } from "../fakes/fakeRunner.ts";
import { codeOf } from "./approvalWorld.ts";
import { newTenant, withRunner } from "./world.ts";

const final = ["completed", "failed", "cancelled", "escalated"];
const commandOf = (name: string) => ({ name, argv: ["npm", "run", name], timeoutMs: 1000 });
const long = `${"a line of the build\n".repeat(1_000)}ü, the end\n`;

let runner: FakeRunner;
let tenant: Awaited<ReturnType<typeof newTenant>>;

beforeEach(async () => {
  runner = withRunner();
  tenant = await newTenant();
  runner.onPatch = (run) => {
    run.print(1, long);
    run.finish();
  };
});

const finish = async (): Promise<TaskDetail> => {
  const projectId = await tenant.project({ validation: [commandOf("lint"), commandOf("test")] });
  const { id } = await tenant.submit({ projectId, provider: "gemini" });
  return tenant.until(id, ...final);
};
const read = (task: TaskDetail, command: number | string, who = tenant) =>
  who.call("GET", `/api/v1/patches/${task.patch?.id}/validation/${command}/output`);

const storedOf = async ({ id }: TaskDetail) => {
  const { objects } = await env.ARTIFACTS.list({ prefix: `${tenant.organizationId}/${id}/` });
  return objects.map(({ key }) => key.split("/").slice(2).join("/")).sort();
};

describe("the whole output of a validation's commands", () => {
  it("is kept where it is more than the tail, and can be read", async () => {
    const task = await finish();

    const [small, large] = task.patch?.validation?.commands ?? [];
    expect(small).not.toHaveProperty("output");
    const bytes = new TextEncoder().encode(long).length;
    expect(large?.output).toEqual({ bytes, cut: false });
    const answer = await read(task, 1);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await answer.text()).toBe(long);
    expect(await storedOf(task)).toEqual([
      "transcript.ndjson",
      `validation/${task.patch?.id}-1/1.txt`,
    ]);
  });

  it("is the tail of the verdict where that holds it all", async () => {
    const task = await finish();

    const answer = await read(task, 0);

    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(task.patch?.validation?.commands[0]?.tail);
  });

  it("is shown to its own organization alone, and only where there is one", async () => {
    const task = await finish();
    const stranger = await newTenant();

    expect(await codeOf(await read(task, 1, stranger))).toBe("404 patch_not_found");
    expect(await codeOf(await read(task, 2))).toBe("404 command_not_found");
    expect(await codeOf(await read(task, "-1"))).toBe("422 invalid_request");
    expect((await codeOf(await read(task, "x"))).slice(0, 3)).toBe("422");
  });

  it("is asked for again when the runner cannot be reached just then", async () => {
    let left = 1;
    runner.misbehave = (_, path) => {
      if (!path.endsWith("/output") || left === 0) return undefined;
      left -= 1;
      return new Response("away", { status: 502 });
    };

    const task = await finish();

    expect(task.patch?.validation?.commands[1]?.output).toMatchObject({ cut: false });
    expect(await (await read(task, 1)).text()).toBe(long);
  });

  it("costs a patch nothing when it cannot be had at all", async () => {
    runner.misbehave = (_, path) =>
      path.endsWith("/output") ? new Response("away", { status: 502 }) : undefined;

    const task = await finish();

    expect(task).toMatchObject({ status: "completed", patch: { status: "delivered" } });
    expect(task.patch?.validation?.commands[1]?.output).toBeNull();
    expect(await codeOf(await read(task, 1))).toBe("404 output_not_kept");
    expect(runner.requests.filter((request) => request.endsWith("/output"))).toHaveLength(3);
  });

  it("is not stored in part", async () => {
    runner.misbehave = (_, path) =>
      path.endsWith("/output")
        ? new Response("short", { headers: { "x-output-bytes": "400" } })
        : undefined;

    const task = await finish();

    expect(task).toMatchObject({ status: "completed" });
    expect(task.patch?.validation?.commands[1]?.output).toBeNull();
    expect(await storedOf(task)).toEqual(["transcript.ndjson"]);
  });

  it("is kept of a patch that fails its commands, too", async () => {
    runner.onPatch = (run) => {
      run.applied();
      run.print(0, long);
      const bytes = new TextEncoder().encode(long).length;
      const { name, argv } = commandOf("lint");
      const verdict = { name, argv, exitCode: 1, durationMs: 9, tail: "the end\n" };
      run.finish({
        kind: "applied",
        treeId: "7".repeat(40),
        baseCommit: "b".repeat(40),
        validation: {
          status: "failed",
          commands: [{ ...verdict, status: "failed", output: { bytes, cut: true } }],
        },
      });
    };

    const task = await finish();

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "validation_failed" } });
    expect(task.patch?.validation?.commands[0]?.output?.cut).toBe(true);
    expect(await (await read(task, 0)).text()).toBe(long);
  });
});
