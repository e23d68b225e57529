import type { Stores } from "../contracts/storeWay.ts";
import { atOrder, type Scene } from "./storeScene.ts";

/** Every question that the stores answer, in one answer. */
export async function askEverything(s: Stores, scene: Scene): Promise<unknown> {
  const { task, ref, nowMs, n } = scene;
  const { organizationId, projectId } = task;
  const limit = (n % 3) + 1;
  return {
    find: await s.tasks.find(ref),
    context: await s.tasks.findContext(ref),
    story: await s.tasks.findStory(ref),
    brief: await s.executions.findBrief(ref),
    wish: await s.executions.findWish(ref),
    child: await s.tasks.findChild(ref),
    accept: await s.tasks.findForAccept(organizationId, projectId, `k${n % 3}`),
    list: await s.tasks.list({ organizationId, limit: 9 }),
    page: await s.tasks.list({ organizationId, status: task.status, before: "task_4", limit }),
    counts: await s.tasks.liveCounts({ organizationId, projectId, provider: "gemini" }),
    live: await s.executions.countLive(organizationId, "gemini"),
    busy: await s.tasks.orderIsBusy(task),
    order: await s.tasks.nextOfOrder(atOrder(scene)),
    due: await s.tasks.dueForSweep(nowMs, limit),
    next: await s.tasks.nextWaiting(nowMs, limit),
    freed: await s.tasks.nextWaiting(nowMs, 9, { organizationId, projectId }),
    notices: await s.notices.due(nowMs, 9),
    inbox: await s.notices.inbox(organizationId, n % 2 === 0 ? null : "ntc_i", limit),
    letters: await s.deadLetters.list({ organizationId, limit: 9 }),
    letter: await s.deadLetters.findByMessage(organizationId, `message_${n % 9}`),
    projects: await s.projects.list(organizationId, n % 2 === 0 ? null : "proj_3", limit),
    patches: await s.patchSets.list({ organizationId, limit: 9 }),
    awaiting: await s.patchSets.list({
      organizationId,
      status: "awaiting_approval",
      before: `ps_${task.id}_3`,
      limit,
    }),
    patch: await s.patchSets.find(organizationId, scene.patch.patchSetId),
    configs: [...(await s.providerConfigs.all(organizationId))],
  };
}
