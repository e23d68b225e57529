import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { patchSetSchema } from "../../../../../shared/contracts/aiPatch.ts";
import {
  createTaskSchema,
  taskDetailSchema,
  taskViewSchema,
} from "../../../../../shared/contracts/task.ts";
import { taskStatuses } from "../../../domain/states.ts";
import { cancelTask } from "../../../services/tasks/cancelTask.ts";
import { createTask } from "../../../services/tasks/createTask.ts";
import { getPatch, getTask, listTasks } from "../../../services/tasks/readTasks.ts";
import { taskView } from "../../../services/tasks/taskView.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { requireRole } from "../middleware.ts";
import { body, failures, idempotencyHeaders, json, secured, tellAccepted } from "./answers.ts";

const tags = ["tasks"];
const taskParam = z.object({ id: z.string().max(100) });

const create = createRoute({
  method: "post",
  path: "/api/v1/tasks",
  tags,
  summary: "Hand over a task",
  security: secured,
  middleware: [requireRole("member")] as const,
  request: {
    headers: idempotencyHeaders,
    body: body(createTaskSchema),
  },
  responses: { 202: json("The task is accepted and cannot be lost.", taskViewSchema), ...failures },
});

const list = createRoute({
  method: "get",
  path: "/api/v1/tasks",
  tags,
  summary: "Tasks, newest first",
  security: secured,
  request: {
    query: z.object({
      status: z.enum(taskStatuses).optional(),
      projectId: z.string().max(100).optional(),
      before: z.string().max(100).optional().meta({ description: "`next` of the page before." }),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: {
    200: json(
      "A page of tasks.",
      z.strictObject({ tasks: z.array(taskViewSchema), next: z.string().nullable() }),
    ),
    ...failures,
  },
});

const show = createRoute({
  method: "get",
  path: "/api/v1/tasks/{id}",
  tags,
  summary: "One task with its last attempt, its patch, its commit and its log",
  security: secured,
  request: { params: taskParam },
  responses: { 200: json("The task.", taskDetailSchema), ...failures },
});

const patch = createRoute({
  method: "get",
  path: "/api/v1/tasks/{id}/patch",
  tags,
  summary: "The patch set that the task's agent left",
  security: secured,
  request: { params: taskParam },
  responses: {
    200: json("The patch set.", z.strictObject({ status: z.string(), set: patchSetSchema })),
    ...failures,
  },
});

const cancel = createRoute({
  method: "post",
  path: "/api/v1/tasks/{id}/cancel",
  tags,
  summary: "Cancel a task",
  security: secured,
  middleware: [requireRole("member")] as const,
  request: { params: taskParam },
  responses: {
    200: json("The task is cancelled.", taskViewSchema),
    202: json("The task is being ended; its status says when it is.", taskViewSchema),
    ...failures,
  },
});

export function taskRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(create, async (c) => {
    const key = c.req.valid("header")["idempotency-key"] ?? null;
    const request = c.req.valid("json");
    const accepted = await createTask(c.get("deps"), c.get("principal"), request, key);
    tellAccepted(c, accepted);
    return c.json(accepted.view, 202);
  });

  app.openapi(list, async (c) => {
    const { status, projectId, before, limit } = c.req.valid("query");
    const filter = {
      limit,
      ...(status === undefined ? {} : { status }),
      ...(projectId === undefined ? {} : { projectId }),
      ...(before === undefined ? {} : { before }),
    };
    return c.json(await listTasks(c.get("deps"), c.get("principal"), filter), 200);
  });

  app.openapi(show, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await getTask(c.get("deps"), c.get("principal"), id), 200);
  });

  app.openapi(patch, async (c) => {
    const { id } = c.req.valid("param");
    const found = await getPatch(c.get("deps"), c.get("principal"), id);
    return c.json({ status: found.status, set: patchSetSchema.parse(found.set) }, 200);
  });

  app.openapi(cancel, async (c) => {
    const { id } = c.req.valid("param");
    const answer = await cancelTask(c.get("deps"), c.get("principal"), id);
    return c.json(taskView(answer.task), answer.kind === "cancelled" ? 200 : 202);
  });
}
