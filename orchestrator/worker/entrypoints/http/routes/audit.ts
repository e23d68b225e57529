import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { anchorSchema } from "../../../domain/anchors.ts";
import { auditFaultKinds } from "../../../domain/auditFaults.ts";
import type { Anchor } from "../../../domain/ports/anchorStore.ts";
import { evidenceOfAnchor, verifyLogs } from "../../../services/audit/verifyLogs.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { requireRole } from "../middleware.ts";
import { failures, json, secured } from "./answers.ts";

const faultSchema = z
  .strictObject({
    organizationId: z.string(),
    projectId: z.string().meta({ description: '"" = lines of no project.' }),
    kind: z.enum(Object.keys(auditFaultKinds) as [keyof typeof auditFaultKinds]),
    where: z.string(),
    message: z.string(),
  })
  .meta({ id: "AuditFault" });

const chainSchema = z
  .strictObject({
    organizationId: z.string(),
    projectId: z.string(),
    lines: z.int(),
    seals: z.int(),
    unsealed: z.int().meta({ description: "Lines behind the last seal." }),
    head: z.strictObject({ number: z.int(), hash: z.string() }),
    evidence: z.int().meta({ description: "Anchors that were held against it." }),
    faults: z.array(faultSchema).meta({ description: "The first 100." }),
    faultCount: z.int(),
  })
  .meta({ id: "AuditChain" });

const verify = createRoute({
  method: "get",
  path: "/api/v1/admin/audit/verify",
  tags: ["admin"],
  summary: "Check whether the organization's audit trail is as it was sealed and anchored",
  security: secured,
  middleware: [requireRole("admin")] as const,
  request: {
    query: z.object({
      projectId: z
        .string()
        .max(100)
        .optional()
        .meta({ description: "This chain alone; empty = that of no project." }),
    }),
  },
  responses: {
    200: json(
      "What is wrong, chain by chain, and every anchor in R2.",
      z.strictObject({
        intact: z.boolean(),
        chains: z.array(chainSchema),
        strays: z.array(faultSchema).meta({ description: "Lines that are in no chain." }),
        anchors: z.array(anchorSchema),
      }),
    ),
    ...failures,
  },
});

export function auditRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(verify, async (c) => {
    const { audit, anchors } = c.get("deps");
    const { organizationId } = c.get("principal");
    const { projectId } = c.req.valid("query");
    const held: Anchor[] = [];
    const report = await verifyLogs(audit, organizationId, {
      projectId,
      alsoNamed: await anchors.projects(organizationId),
      evidenceOf: async (chain) => {
        const found = await anchors.ofChain(chain);
        held.push(...found);
        return found.map(evidenceOfAnchor);
      },
    });
    return c.json({ ...report, anchors: held }, 200);
  });
}
