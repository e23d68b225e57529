import { type Context, Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { PatchOpsContract } from "../../shared/contracts/patchOps.ts";
import type { AIProviderOpsContract, TaskOpsContract } from "../../shared/contracts/providerOps.ts";
import { errorTable } from "../../shared/errors.ts";
import type { Result } from "../../shared/result.ts";

// Its containers: the class, what the orchestrator calls, and what the platform asks for outbound requests.
export { ContainerProxy } from "@cloudflare/containers";
export { AgentContainer, FactoryContainers } from "../../shared/containers/FactoryContainers.ts";

export type FactoryEnv = {
  ORCHESTRATOR_AI_PROVIDER: AIProviderOpsContract;
  ORCHESTRATOR_TASKS: TaskOpsContract;
  ORCHESTRATOR_PATCHES: PatchOpsContract;
  /** A secret of this factory; without it every request is refused. */
  FACTORY_TOKEN?: string;
};

/**
 * An example of a factory: it takes work over HTTP and has it done by Switchyard, over its service bindings. Where
 * the orchestrator has its containers registered, the agents of its tasks work in the factory's own image.
 */
const app = new Hono<{ Bindings: FactoryEnv }>();

// Without a token of its own it lets nobody in.
app.use((c, next) =>
  bearerAuth({ token: c.env.FACTORY_TOKEN ?? crypto.randomUUID() })(c as unknown as Context, next),
);

/** Takes `{ projectId, prompt, provider? }`: makes a task, sees who can do it, and has it done. */
app.post("/work", async (c) => {
  const work = await c.req.json<{ projectId: string; prompt: string; provider?: string }>();
  const { provider, ...request } = work;
  const key = c.req.header("idempotency-key");
  const created = await c.env.ORCHESTRATOR_TASKS.createTask(request, key);
  if (!created.ok) return answer(created);
  const { id } = created.value;
  const assigned = await c.env.ORCHESTRATOR_AI_PROVIDER.assignProvider(id, provider);
  if (!assigned.ok) return answer(assigned);
  const executed = await c.env.ORCHESTRATOR_AI_PROVIDER.executeTask(id);
  if (!executed.ok) return answer(executed);
  return Response.json({ task: executed.value, assignment: assigned.value }, { status: 202 });
});

app.get("/work/:id", async (c) =>
  answer(await c.env.ORCHESTRATOR_TASKS.getTask(c.req.param("id"))),
);

app.delete("/work/:id", async (c) =>
  answer(await c.env.ORCHESTRATOR_TASKS.cancelTask(c.req.param("id"))),
);

app.get("/work/:id/providers", async (c) =>
  answer(await c.env.ORCHESTRATOR_AI_PROVIDER.listAvailableProviders(c.req.param("id"))),
);

app.get("/providers/:name", async (c) =>
  answer(await c.env.ORCHESTRATOR_AI_PROVIDER.getProviderStatus(c.req.param("name"))),
);

app.get("/patches", async (c) => answer(await c.env.ORCHESTRATOR_PATCHES.listPatches()));

app.get("/patches/:id", async (c) =>
  answer(await c.env.ORCHESTRATOR_PATCHES.getPatch(c.req.param("id"))),
);

app.get("/patches/:id/diff", async (c) => {
  const diff = await c.env.ORCHESTRATOR_PATCHES.diffOfPatch(c.req.param("id"));
  return diff.ok ? new Response(diff.value) : answer(diff);
});

app.get("/patches/:id/files", async (c) =>
  answer(await c.env.ORCHESTRATOR_PATCHES.filesOfPatch(c.req.param("id"))),
);

/** Whether it would apply to the head of its order now. */
app.get("/patches/:id/check", async (c) =>
  answer(await c.env.ORCHESTRATOR_PATCHES.checkPatch(c.req.param("id"))),
);

/** Takes `{ reason }`. */
app.post("/patches/:id/revert", async (c) => {
  const request = await c.req.json<{ reason: string }>();
  const key = c.req.header("idempotency-key");
  return answer(await c.env.ORCHESTRATOR_PATCHES.revertPatch(c.req.param("id"), request, key));
});

function answer(result: Result<unknown>): Response {
  if (result.ok) return Response.json(result.value);
  const status = errorTable[result.error.code].http as ContentfulStatusCode;
  return Response.json({ error: result.error }, { status });
}

// The Workers runtime looks for the default export.
export default app;
