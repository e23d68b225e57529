import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { createTokenSchema, roles } from "../../../../../shared/contracts/identity.ts";
import { createToken } from "../../../services/identity/tokens.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { requireRole } from "../middleware.ts";
import { body, failures, json, secured } from "./answers.ts";

const tags = ["account"];

const makeToken = createRoute({
  method: "post",
  path: "/api/v1/tokens",
  tags,
  summary: "Make an API token; its value is shown this once",
  security: secured,
  middleware: [requireRole("admin")] as const,
  request: { body: body(createTokenSchema) },
  responses: {
    201: json(
      "The token.",
      z.strictObject({
        id: z.string(),
        token: z.string(),
        principal: z.string(),
        role: z.enum(roles),
        expiresAtMs: z.int().nullable(),
      }),
    ),
    ...failures,
  },
});

const inbox = createRoute({
  method: "get",
  path: "/api/v1/notices",
  tags,
  summary: "What has ended, oldest first; ask again after the last id",
  security: secured,
  request: {
    query: z.object({
      after: z.string().max(100).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: {
    200: json(
      "A page of notices.",
      z.strictObject({
        notices: z.array(
          z.strictObject({
            id: z.string(),
            channel: z.string(),
            status: z.string(),
            taskId: z.string(),
            createdAtMs: z.int(),
            body: z.unknown(),
          }),
        ),
      }),
    ),
    ...failures,
  },
});

export function accountRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(makeToken, async (c) => {
    const made = await createToken(c.get("deps"), c.get("principal"), c.req.valid("json"));
    return c.json({ ...made, role: c.req.valid("json").role }, 201);
  });
  app.openapi(inbox, async (c) => {
    const { after, limit } = c.req.valid("query");
    const { organizationId } = c.get("principal");
    const found = await c.get("deps").notices.inbox(organizationId, after ?? null, limit);
    const notices = found.map(({ id, channel, status, taskId, createdAtMs, body: told }) => ({
      id,
      channel,
      status,
      taskId,
      createdAtMs,
      body: told,
    }));
    return c.json({ notices }, 200);
  });
}
