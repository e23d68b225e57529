import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { createProjectSchema, projectViewSchema } from "../../../../../shared/contracts/project.ts";
import { createProject, getProject, listProjects } from "../../../services/projects/projects.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { requireRole } from "../middleware.ts";
import { body, failures, json, secured } from "./answers.ts";

const tags = ["projects"];

const create = createRoute({
  method: "post",
  path: "/api/v1/projects",
  tags,
  summary: "Make a project: one repository with its settings",
  security: secured,
  middleware: [requireRole("admin")] as const,
  request: { body: body(createProjectSchema) },
  responses: { 201: json("The project.", projectViewSchema), ...failures },
});

const list = createRoute({
  method: "get",
  path: "/api/v1/projects",
  tags,
  summary: "Projects, newest first",
  security: secured,
  request: {
    query: z.object({
      before: z.string().max(100).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: {
    200: json(
      "A page of projects.",
      z.strictObject({ projects: z.array(projectViewSchema), next: z.string().nullable() }),
    ),
    ...failures,
  },
});

const show = createRoute({
  method: "get",
  path: "/api/v1/projects/{id}",
  tags,
  summary: "One project",
  security: secured,
  request: { params: z.object({ id: z.string().max(100) }) },
  responses: { 200: json("The project.", projectViewSchema), ...failures },
});

export function projectRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(create, async (c) =>
    c.json(await createProject(c.get("deps"), c.get("principal"), c.req.valid("json")), 201),
  );
  app.openapi(list, async (c) => {
    const { before, limit } = c.req.valid("query");
    const page = { before: before ?? null, limit };
    return c.json(await listProjects(c.get("deps"), c.get("principal"), page), 200);
  });
  app.openapi(show, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await getProject(c.get("deps"), c.get("principal"), id), 200);
  });
}
