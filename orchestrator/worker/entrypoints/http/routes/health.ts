import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { healthSchema } from "../../../../../shared/contracts/health.ts";
import { checkHealth } from "../../../services/health/checkHealth.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { failures, json } from "./answers.ts";

const show = createRoute({
  method: "get",
  path: "/health",
  tags: ["health"],
  summary: "Whether this deployment works, and what it is made of; needs no token",
  responses: {
    200: json("It can take tasks.", healthSchema),
    503: json("Its database does not answer, or has no tables.", healthSchema),
    ...failures,
  },
});

export function healthRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(show, async (c) => {
    const health = await checkHealth(c.get("deps"));
    return c.json(health, health.ok ? 200 : 503);
  });
}
