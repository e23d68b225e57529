import { expect, vi } from "vitest";
import type { PatchReport } from "../../shared/contracts/runner.ts";
import type { CreateTask, TaskDetail } from "../../shared/contracts/task.ts";
import { useContainers } from "./containers.ts";
import { newTenant, withRunner } from "./world.ts";

export const final = ["completed", "failed", "cancelled", "escalated"];
export const command = { name: "test", argv: ["npm", "test"], timeoutMs: 1000 };
export const treeId = "7".repeat(40);

export type ValidationWorld = Awaited<ReturnType<typeof validationWorld>>;

/** A tenant whose agents, and whose project's one command, work in containers. */
export async function validationWorld() {
  const runner = withRunner();
  const containers = useContainers();
  const tenant = await newTenant();
  const submit = async (settings: object = {}, request: Partial<CreateTask> = {}) => {
    const projectId = await tenant.project({ validation: [command], ...settings });
    return (await tenant.submit({ projectId, provider: "gemini", ...request })).id;
  };
  return {
    runner,
    containers,
    tenant,
    submit,
    finish: async (settings?: object, request?: Partial<CreateTask>): Promise<TaskDetail> =>
      tenant.until(await submit(settings, request), ...final),
    /** The containers that were to try a patch, in order. */
    validators: () => [...containers.all].filter(([id]) => /-v\d+$/.test(id)),
    allClosed: () =>
      vi.waitFor(() => {
        const open = [...containers.all].filter(([, { isClosed }]) => !isClosed);
        expect(open.map(([id]) => id)).toEqual([]);
      }, 10_000),
  };
}

export const reportOf = (
  changes: Partial<Extract<PatchReport, { kind: "applied" }>>,
): PatchReport => ({
  kind: "applied",
  treeId,
  baseCommit: "b".repeat(40),
  validation: { status: "passed", commands: [] },
  ...changes,
});
