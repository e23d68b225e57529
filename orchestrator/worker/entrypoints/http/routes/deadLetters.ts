import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { taskViewSchema } from "../../../../../shared/contracts/task.ts";
import { deadLetterStatuses } from "../../../domain/ports/deadLetterStore.ts";
import {
  replayAllDeadLetters,
  replayDeadLetter,
} from "../../../services/sweep/replayDeadLetter.ts";
import { taskView } from "../../../services/tasks/taskView.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { requireRole } from "../middleware.ts";
import { failures, json, secured } from "./answers.ts";

const tags = ["dead letters"];

const deadLetterSchema = z
  .strictObject({
    id: z.string(),
    taskId: z.string(),
    status: z.enum(deadLetterStatuses),
    because: z.string(),
    replayedAs: z.string().nullable(),
    replayedBy: z.string().nullable(),
    createdAtMs: z.int(),
  })
  .meta({ id: "DeadLetter" });

const list = createRoute({
  method: "get",
  path: "/api/v1/dead-letters",
  tags,
  summary: "Messages that could not be processed, newest first",
  security: secured,
  middleware: [requireRole("admin")] as const,
  request: {
    query: z.object({
      status: z.enum(deadLetterStatuses).optional(),
      before: z.string().max(100).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: {
    200: json(
      "A page of dead letters; `next` is the `before` of the following page.",
      z.strictObject({ deadLetters: z.array(deadLetterSchema), next: z.string().nullable() }),
    ),
    ...failures,
  },
});

const replay = createRoute({
  method: "post",
  path: "/api/v1/dead-letters/{id}/replay",
  tags,
  summary: "Send its task again, as a new task; a second call answers the same one",
  security: secured,
  middleware: [requireRole("admin")] as const,
  request: { params: z.object({ id: z.string().max(100) }) },
  responses: { 202: json("The new task.", taskViewSchema), ...failures },
});

const replayAll = createRoute({
  method: "post",
  path: "/api/v1/dead-letters/replay-all",
  tags,
  summary: "Replay every open dead letter, at most 100 at once",
  security: secured,
  middleware: [requireRole("admin")] as const,
  responses: {
    202: json(
      "What was replayed as what, and whether open ones are left.",
      z.strictObject({
        replayed: z.array(z.strictObject({ deadLetterId: z.string(), taskId: z.string() })),
        more: z.boolean(),
      }),
    ),
    ...failures,
  },
});

export function deadLetterRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(list, async (c) => {
    const { status, before, limit } = c.req.valid("query");
    const { organizationId } = c.get("principal");
    const found = await c
      .get("deps")
      .deadLetters.list({ organizationId, status, before, limit: limit + 1 });
    const deadLetters = found
      .slice(0, limit)
      .map(({ organizationId: _, messageId: __, ...letter }) => letter);
    const next = found.length > limit ? (deadLetters.at(-1)?.id ?? null) : null;
    return c.json({ deadLetters, next }, 200);
  });

  app.openapi(replay, async (c) => {
    const { id } = c.req.valid("param");
    const task = await replayDeadLetter(c.get("deps"), c.get("principal"), id);
    return c.json(taskView(task), 202);
  });

  app.openapi(replayAll, async (c) =>
    c.json(await replayAllDeadLetters(c.get("deps"), c.get("principal")), 202),
  );
}
