import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import {
  approvePatchSchema,
  patchDetailSchema,
  patchSummarySchema,
  rejectPatchSchema,
  revertPatchSchema,
} from "../../../../../shared/contracts/patch.ts";
import {
  checkPatchSchema,
  patchCheckSchema,
  patchFilesSchema,
} from "../../../../../shared/contracts/patchViews.ts";
import { taskViewSchema } from "../../../../../shared/contracts/task.ts";
import { patchSetStatuses } from "../../../domain/states.ts";
import { checkPatch } from "../../../services/patch-manager/checkPatch.ts";
import { approvePatch, rejectPatch } from "../../../services/patch-manager/decidePatch.ts";
import { outputOfCommand } from "../../../services/patch-manager/readOutput.ts";
import { getPatchSet, listPatches } from "../../../services/patch-manager/readPatches.ts";
import { diffOfPatch, filesOfPatch } from "../../../services/patch-manager/showChanges.ts";
import { revertPatch } from "../../../services/tasks/revertPatch.ts";
import type { HttpEnv } from "../httpEnv.ts";
import { requireRole } from "../middleware.ts";
import {
  body,
  failures,
  idempotencyHeaders,
  json,
  plainText,
  secured,
  tellAccepted,
} from "./answers.ts";

const tags = ["patches"];
const patchParam = z.object({ id: z.string().max(100) });

const list = createRoute({
  method: "get",
  path: "/api/v1/patches",
  tags,
  summary: "Patch sets, newest first; with status=awaiting_approval those that wait for a person",
  security: secured,
  request: {
    query: z.object({
      status: z.enum(patchSetStatuses).optional(),
      before: z.string().max(100).optional().meta({ description: "`next` of the page before." }),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: {
    200: json(
      "A page of patch sets.",
      z.strictObject({ patches: z.array(patchSummarySchema), next: z.string().nullable() }),
    ),
    ...failures,
  },
});

const show = createRoute({
  method: "get",
  path: "/api/v1/patches/{id}",
  tags,
  summary: "One patch set: its operations, its tree, what validation said, and why it waits",
  security: secured,
  request: { params: patchParam },
  responses: { 200: json("The patch set.", patchDetailSchema), ...failures },
});

const diff = createRoute({
  method: "get",
  path: "/api/v1/patches/{id}/diff",
  tags,
  summary: "What the patch set makes of its base, as a diff that git apply takes",
  security: secured,
  request: { params: patchParam },
  responses: {
    200: {
      description: "A diff as git diff --binary --full-index writes it.",
      content: { "text/x-diff": { schema: z.string() } },
    },
    ...failures,
  },
});

const files = createRoute({
  method: "get",
  path: "/api/v1/patches/{id}/files",
  tags,
  summary: "Every file that the patch set changes, before and after",
  security: secured,
  request: { params: patchParam },
  responses: { 200: json("The files.", patchFilesSchema), ...failures },
});

const output = createRoute({
  method: "get",
  path: "/api/v1/patches/{id}/validation/{command}/output",
  tags,
  summary: "All that a command of the patch set's validation printed, as far as it is kept",
  description:
    "Redacted, both outputs as they came. The command is named by its place in validation.commands, from 0. 404 command_not_found: validation ran no such command (yet); 404 output_not_kept: there was more than the verdict's tail, and it could not be kept.",
  security: secured,
  request: {
    params: patchParam.extend({ command: z.coerce.number().int().min(0).max(49) }),
  },
  responses: {
    200: {
      description: "What it printed.",
      content: { "text/plain": { schema: z.string() } },
    },
    ...failures,
  },
});

const check = createRoute({
  method: "post",
  path: "/api/v1/patches/{id}/check",
  tags,
  summary:
    "Whether the patch set would apply to the head of a ref now; nothing is moved or written",
  security: secured,
  request: { params: patchParam, body: body(checkPatchSchema) },
  responses: { 200: json("What would come of it.", patchCheckSchema), ...failures },
});

const approve = createRoute({
  method: "post",
  path: "/api/v1/patches/{id}/approve",
  tags,
  summary: "Let exactly this patch set and tree into the code",
  description:
    "For another person than the one who handed the task over. The body names the contentKey and the treeId that were shown; if they are not those of the patch set any more, nothing is approved.",
  security: secured,
  middleware: [requireRole("approver")] as const,
  request: { params: patchParam, body: body(approvePatchSchema) },
  responses: {
    200: json("The patch set, on its way to delivery.", patchDetailSchema),
    ...failures,
  },
});

const reject = createRoute({
  method: "post",
  path: "/api/v1/patches/{id}/reject",
  tags,
  summary: "Refuse a patch set that waits for approval; its task fails",
  security: secured,
  middleware: [requireRole("approver")] as const,
  request: { params: patchParam, body: body(rejectPatchSchema) },
  responses: { 200: json("The refused patch set.", patchDetailSchema), ...failures },
});

const revert = createRoute({
  method: "post",
  path: "/api/v1/patches/{id}/revert",
  tags,
  summary: "Take a delivered patch set back",
  description:
    "A task of kind revert, without an agent: its patch set is the inverse against the present head of the order's branch, and goes through the same gate as any other.",
  security: secured,
  middleware: [requireRole("member")] as const,
  request: {
    params: patchParam,
    headers: idempotencyHeaders,
    body: body(revertPatchSchema),
  },
  responses: { 202: json("The task that takes it back.", taskViewSchema), ...failures },
});

export function patchRoutes(app: OpenAPIHono<HttpEnv>): void {
  app.openapi(list, async (c) => {
    const { status, before, limit } = c.req.valid("query");
    const filter = {
      limit,
      ...(status === undefined ? {} : { status }),
      ...(before === undefined ? {} : { before }),
    };
    return c.json(await listPatches(c.get("deps"), c.get("principal"), filter), 200);
  });

  app.openapi(show, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await getPatchSet(c.get("deps"), c.get("principal"), id), 200);
  });

  app.openapi(diff, async (c) => {
    const { id } = c.req.valid("param");
    const bytes = await diffOfPatch(c.get("deps"), c.get("principal"), id);
    return new Response(bytes, { headers: { "content-type": "text/x-diff" } });
  });

  app.openapi(files, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(await filesOfPatch(c.get("deps"), c.get("principal"), id), 200);
  });

  app.openapi(output, async (c) => {
    const { id, command } = c.req.valid("param");
    const text = await outputOfCommand(c.get("deps"), c.get("principal"), id, command);
    return plainText(text);
  });

  app.openapi(check, async (c) => {
    const { id } = c.req.valid("param");
    const found = await checkPatch(c.get("deps"), c.get("principal"), id, c.req.valid("json"));
    return c.json(found, 200);
  });

  app.openapi(approve, async (c) => {
    const { id } = c.req.valid("param");
    await approvePatch(c.get("deps"), c.get("principal"), id, c.req.valid("json"));
    return c.json(await getPatchSet(c.get("deps"), c.get("principal"), id), 200);
  });

  app.openapi(reject, async (c) => {
    const { id } = c.req.valid("param");
    await rejectPatch(c.get("deps"), c.get("principal"), id, c.req.valid("json"));
    return c.json(await getPatchSet(c.get("deps"), c.get("principal"), id), 200);
  });

  app.openapi(revert, async (c) => {
    const { id } = c.req.valid("param");
    const key = c.req.valid("header")["idempotency-key"] ?? null;
    const request = c.req.valid("json");
    const accepted = await revertPatch(c.get("deps"), c.get("principal"), id, request, key);
    tellAccepted(c, accepted);
    return c.json(accepted.view, 202);
  });
}
