import { beforeEach, describe, expect, it, vi } from "vitest";
import { findVerdict } from "../../orchestrator/worker/services/patch-manager/findVerdict.ts";
import type { PatchRunRequest } from "../../shared/contracts/runner.ts";
import {
  command,
  final,
  reportOf,
  treeId,
  type ValidationWorld,
  validationWorld,
} from "./validationWorld.ts";
import { newToken } from "./world.ts";

let world: ValidationWorld;

beforeEach(async () => {
  world = await validationWorld();
});

const orderBranch = "refs/heads/factory/ORD-7";
const passed = {
  status: "passed" as const,
  commands: [
    {
      name: "test",
      argv: ["npm", "test"],
      status: "passed" as const,
      exitCode: 0,
      durationMs: 5,
      tail: "",
    },
  ],
};

const requestOf = (request: unknown) => request as PatchRunRequest;

describe("the commands of a project whose agents work in containers", () => {
  it("run in a clean container, which is given the base and the set and no secret", async () => {
    const task = await world.finish({ allowedHosts: ["packages.example.com"] });

    expect(task).toMatchObject({
      status: "completed",
      patch: { validation: { status: "passed", place: "container", commands: [{ name: "test" }] } },
    });
    const [trusted] = world.runner.patches.values();
    expect(requestOf(trusted?.request).validation).toEqual({ commands: [] });
    const [[id, container] = []] = world.validators();
    expect(id).toBe(`${task.patch?.id}-1-v1`);
    expect(task.patch?.validation).toMatchObject({ run: id });
    const request = requestOf(container?.runner.patches.get(id ?? "")?.request);
    expect(request).toMatchObject({
      set: requestOf(trusted?.request).set,
      source: { kind: "bundle", r2: id },
      validation: { commands: [command] },
      expectedTreeId: treeId,
      doorbell: { url: expect.stringContaining("http://doorbell.switchyard/") },
    });
    expect(world.containers.plans.get(id ?? "")).toEqual({
      executionId: id,
      role: "patches",
      lifetimeMs: 15 * 60_000 + command.timeoutMs,
      model: null,
      allowedHosts: ["packages.example.com"],
    });
    expect(JSON.stringify(request)).not.toMatch(/key-of-|runner-token/);
    await world.allClosed();
  });

  it("run on the tree of both where the branch has moved, from a bundle that holds both", async () => {
    const [foreign, merged] = ["f".repeat(40), "8".repeat(40)];
    world.runner.onPatch = (run) => {
      if (run.request.onto === undefined) return run.finish();
      run.emit({ type: "patch_applied", treeId: merged, files: 1 });
      run.finish(reportOf({ treeId: merged, validation: { status: "none", commands: [] } }));
    };
    world.containers.onPatch = (run) =>
      run.finish(reportOf({ treeId: run.request.expectedTreeId ?? "", validation: passed }));
    let isMoved = false;
    world.runner.misbehave = (_, path) => {
      if (path !== "/forge/move-ref" || isMoved) return undefined;
      isMoved = true;
      world.runner.parents.set(foreign, "b".repeat(40));
      world.runner.refs.set(orderBranch, foreign);
      return undefined;
    };

    const task = await world.finish({}, { orderId: "ORD-7" });

    expect(task).toMatchObject({ status: "completed", outcome: { code: "delivered" } });
    const [, [id, container] = []] = world.validators();
    expect(requestOf(container?.runner.patches.get(id ?? "")?.request)).toMatchObject({
      onto: foreign,
      expectedTreeId: merged,
      source: { kind: "bundle", r2: id, commit: "b".repeat(40) },
    });
    expect(container?.bundle).toBe(`a bundle of ${foreign}`);
    expect(world.runner.parents.get(task.commit?.sha ?? "")).toBe(foreign);
    await world.allClosed();
  });

  it("start nothing where there are none", async () => {
    const task = await world.finish({ validation: [] });

    expect(task).toMatchObject({ status: "completed", patch: { validation: { status: "none" } } });
    expect(world.validators()).toEqual([]);
  });

  it("keep what they came to, also once the project wants none any more", async () => {
    const report = {
      kind: "inline" as const,
      text: JSON.stringify({ ...passed, status: "failed" }),
    };
    const attempt = { fence: 1, patchTry: 1, validation: { try: 1, treeId, report } };
    const patch = { id: "ps_1", status: "validating", treeId };
    const brief = { patch, task: { validation: [] }, project: { settings: { validation: [] } } };
    const by = { id: "ps_1-1", place: "runner" };

    const found = await findVerdict(
      {} as never,
      by as never,
      attempt as never,
      brief as never,
      reportOf({ validation: { status: "none", commands: [] } }),
    );

    expect(found).toMatchObject({
      kind: "verdict",
      by: { place: "container" },
      report: { validation: { status: "failed" } },
    });
  });

  it("have their whole output kept before the container is gone", async () => {
    const text = "a line\n".repeat(3_000);
    world.containers.onPatch = (run) => {
      run.print(0, text);
      run.finish();
    };

    const task = await world.finish();

    const answer = await world.tenant.call(
      "GET",
      `/api/v1/patches/${task.patch?.id}/validation/0/output`,
    );
    expect(await answer.text()).toBe(text);
    await world.allClosed();
  });

  it("end the patch when they fail, and the container goes all the same", async () => {
    world.containers.onPatch = (run) => {
      run.applied();
      const verdict = { name: "test", argv: ["npm", "test"], exitCode: 1, durationMs: 5 };
      const commands = [{ ...verdict, status: "failed" as const, tail: "1 test failed" }];
      run.finish(reportOf({ validation: { status: "failed", commands } }));
    };

    const task = await world.finish();

    expect(task).toMatchObject({ status: "escalated", outcome: { code: "validation_failed" } });
    expect(task.patch?.validation).toMatchObject({ place: "container", status: "failed" });
    expect(world.runner.refs.size).toBe(0);
    await world.allClosed();
  });

  it("are tried before a person is asked, once, and their verdict stands when the container is gone", async () => {
    const bob = await newToken(world.tenant.organizationId, "approver", "user:bob");
    world.runner.onPatch = (run) => run.finish();
    world.containers.onRun = (run) => {
      const files = {
        ".github/workflows/ci.yml": { op: "create" as const, content: { text: "" } },
      };
      run.finish({ patch: { ...run.patchSet(), files, patches: [] } });
    };
    const id = await world.submit();
    const waiting = await world.tenant.until(id, "waiting_input");
    await world.allClosed();

    const { contentKey, treeId: seen } = await (
      await bob.call("GET", `/api/v1/patches/${waiting.patch?.id}`)
    ).json<{ contentKey: string; treeId: string }>();
    const body = { reason: "It is wanted.", contentKey, treeId: seen };
    await bob.call("POST", `/api/v1/patches/${waiting.patch?.id}/approve`, body);

    expect(await world.tenant.until(id, ...final)).toMatchObject({
      status: "completed",
      patch: { validation: { status: "passed", place: "container" } },
    });
    expect(world.validators()).toHaveLength(1);
  });
});

describe("a cancel while the commands run", () => {
  it("ends their container before it is told as done", async () => {
    world.containers.onPatch = (run) => run.applied();
    const id = await world.submit();
    await vi.waitFor(() => expect(world.validators()[0]?.[1].runner.patches.size).toBe(1), 10_000);
    expect((await world.tenant.show(id)).status).toBe("validating");

    const atItsEnd: string[] = [];
    world.containers.onClose = async () => {
      atItsEnd.push((await world.tenant.show(id)).status);
    };

    await world.tenant.call("POST", `/api/v1/tasks/${id}/cancel`);

    expect(await world.tenant.until(id, ...final)).toMatchObject({ status: "cancelled" });
    await world.allClosed();
    expect(world.validators()).toHaveLength(1);
    expect(atItsEnd[0]).toBe("validating");
  });
});
