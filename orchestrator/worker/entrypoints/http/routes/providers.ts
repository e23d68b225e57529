import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  providerConfigSchema,
  providerParam,
  providerStatusSchema,
} from "../../../../../shared/contracts/provider.ts";
import {
  configureProvider,
  getProviderStatus,
  listProviderStatus,
} from "../../../services/ai-providers/providerStatus.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { requireRole } from "../middleware.ts";
import { body, failures, json, secured } from "./answers.ts";

const tags = ["providers"];

const list = createRoute({
  method: "get",
  path: "/api/v1/providers",
  tags,
  summary: "Every provider, and whether it can take a task now",
  security: secured,
  responses: {
    200: json("The providers.", z.strictObject({ providers: z.array(providerStatusSchema) })),
    ...failures,
  },
});

const show = createRoute({
  method: "get",
  path: "/api/v1/providers/{name}",
  tags,
  summary: "One provider",
  security: secured,
  request: { params: providerParam },
  responses: { 200: json("The provider.", providerStatusSchema), ...failures },
});

const configure = createRoute({
  method: "put",
  path: "/api/v1/providers/{name}",
  tags,
  summary: "Configure a provider for this organization",
  security: secured,
  middleware: [requireRole("admin")] as const,
  request: { params: providerParam, body: body(providerConfigSchema) },
  responses: { 200: json("The provider.", providerStatusSchema), ...failures },
});

export function providerRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(list, async (c) => {
    const providers = await listProviderStatus(c.get("deps"), c.get("principal"));
    return c.json({ providers }, 200);
  });
  app.openapi(show, async (c) => {
    const { name } = c.req.valid("param");
    return c.json(await getProviderStatus(c.get("deps"), c.get("principal"), name), 200);
  });
  app.openapi(configure, async (c) => {
    const { name } = c.req.valid("param");
    const config = c.req.valid("json");
    return c.json(await configureProvider(c.get("deps"), c.get("principal"), name, config), 200);
  });
}
