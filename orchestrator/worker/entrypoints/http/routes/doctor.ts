import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { examine } from "../../../services/doctor/examine.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { requireRole } from "../middleware.ts";
import { failures, json, secured } from "./answers.ts";

const findingSchema = z
  .strictObject({
    invariant: z.string(),
    name: z.string(),
    because: z.string().meta({ description: "What it means." }),
    remedy: z.string().meta({ description: "What to do." }),
    count: z.int(),
    examples: z.array(z.strictObject({ id: z.string(), detail: z.string() })).meta({
      description: "The first 20.",
    }),
  })
  .meta({ id: "DoctorFinding" });

const show = createRoute({
  method: "get",
  path: "/api/v1/admin/doctor",
  tags: ["admin"],
  summary: "Check the organization's rows against what must always be so",
  security: secured,
  middleware: [requireRole("admin")] as const,
  responses: {
    200: json(
      "What is broken and what to do; `notApplicable` says what rows cannot show.",
      z.strictObject({
        healthy: z.boolean(),
        checkedAtMs: z.int(),
        findings: z.array(findingSchema),
        notApplicable: z.array(z.strictObject({ invariant: z.string(), because: z.string() })),
      }),
    ),
    ...failures,
  },
});

export function doctorRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(show, async (c) => {
    const { notApplicable, ...report } = await examine(c.get("deps"), c.get("principal"));
    return c.json({ ...report, notApplicable: [...notApplicable] }, 200);
  });
}
