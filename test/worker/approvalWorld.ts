import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import type { PatchDetail } from "../../shared/contracts/patch.ts";
import type { CreateTask } from "../../shared/contracts/task.ts";
import type { RunControl } from "../fakes/fakeRuns.ts";
import { newTenant, newToken, withRunner } from "./world.ts";

export const protectedFile = ".github/workflows/ci.yml";
const validation = [{ name: "test", argv: ["npm", "test"], timeoutMs: 1_000 }];

export type Who = Pick<Awaited<ReturnType<typeof newToken>>, "call">;

/** A tenant whose agent leaves a patch of a protected path, and user:bob, who may decide about it. */
export async function approvalWorld() {
  const runner = withRunner();
  const tenant = await newTenant();
  const approver = await newToken(tenant.organizationId, "approver", "user:bob");
  const projectId = await tenant.project({ validation });
  const leave = (files: PatchSet["files"], patches: PatchSet["patches"] = []) => {
    runner.onRun = (run: RunControl) =>
      run.finish({ patch: { ...run.patchSet(), files, patches } });
  };
  leave({ [protectedFile]: { op: "create", content: { text: "on: push\n" } } });

  const show = async (id: string) =>
    (await approver.call("GET", `/api/v1/patches/${id}`)).json<PatchDetail>();
  const submit = async (request: Partial<CreateTask> = {}) =>
    (await tenant.submit({ projectId, provider: "gemini", ...request })).id;
  return {
    runner,
    tenant,
    projectId,
    leave,
    show,
    submit,
    as: (role: "viewer" | "member" | "approver", principal: string) =>
      newToken(tenant.organizationId, role, principal),
    /** A task whose patch waits for approval, and that patch as its approver sees it. */
    async waiting(request: Partial<CreateTask> = {}) {
      const taskId = await submit(request);
      const task = await tenant.until(taskId, "waiting_input");
      return { taskId, seen: await show(task.patch?.id ?? "") };
    },
    approve: (seen: PatchDetail, who: Who = approver, changes: object = {}) =>
      who.call("POST", `/api/v1/patches/${seen.id}/approve`, {
        reason: "It is what we want.",
        contentKey: seen.contentKey,
        treeId: seen.treeId,
        ...changes,
      }),
    reject: (seen: PatchDetail, who: Who = approver) =>
      who.call("POST", `/api/v1/patches/${seen.id}/reject`, { reason: "We want no such job." }),
  };
}

export const codeOf = async (response: Response) =>
  `${response.status} ${(await response.json<{ error: { code: string } }>()).error?.code}`;
