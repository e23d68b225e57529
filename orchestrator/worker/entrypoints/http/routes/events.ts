import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { SwitchyardError } from "../../../../../shared/errors.ts";
import { taskNotFound } from "../../../domain/notFound.ts";
import { ringSupervisor } from "../../../services/tasks/ringSupervisor.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { failures, secured } from "./answers.ts";

const position = z.string().regex(/^\d{1,9}-\d{1,9}$/, { error: "must be <fence>-<number>" });

const events = createRoute({
  method: "get",
  path: "/api/v1/tasks/{id}/events",
  tags: ["tasks"],
  summary: "What the agent does, live (server-sent events)",
  description:
    "Every event has an id `<fence>-<number>`; sent back as Last-Event-ID (or `after`) the stream goes on behind " +
    "it, without a gap. The last event is `end`, with the task's final status.",
  security: secured,
  request: {
    params: z.object({ id: z.string().max(100) }),
    headers: z.object({ "last-event-id": position.optional() }),
    query: z.object({ after: position.optional() }),
  },
  responses: {
    200: {
      description: "A stream of AgentEvent.",
      content: { "text/event-stream": { schema: z.string() } },
    },
    ...failures,
  },
});

export function eventRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(events, async (c) => {
    const { tasks, supervisors } = c.get("deps");
    const { id: taskId } = c.req.valid("param");
    const ref = { organizationId: c.get("principal").organizationId, taskId };
    if ((await tasks.find(ref)) === null) throw taskNotFound(taskId);
    const after = c.req.valid("header")["last-event-id"] ?? c.req.valid("query").after ?? "0-0";
    const [fence = 0, number = 0] = after.split("-").map(Number);
    const stream = await supervisors.watch(ref, { fence, number });
    return new Response(stream.body, stream);
  });

  // Not part of the public interface: a runner rings here with the token of its run, and learns nothing.
  app.post("/runner/v1/doorbell/:organization/:task", async (c) => {
    const { organization: organizationId, task: taskId } = c.req.param();
    const parsed = z
      .object({ token: z.string().max(100) })
      .safeParse(await c.req.json().catch(() => null));
    if (!parsed.success) throw new SwitchyardError("invalid_request", "token: is missing.");
    await ringSupervisor(c.get("deps"), { organizationId, taskId }, parsed.data.token);
    return c.body(null, 204);
  });
}
