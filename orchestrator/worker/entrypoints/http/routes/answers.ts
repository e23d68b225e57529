import { z } from "@hono/zod-openapi";
import type { TypedResponse } from "hono";
import { idempotencyKeySchema, type TaskView } from "../../../../../shared/contracts/task.ts";
import { errorEnvelope } from "../envelope.ts";

/** Text that may be a stream, as the type that a route with text/plain wants of its handler. */
export const plainText = (text: BodyInit): Response & TypedResponse<string, 200, "text"> =>
  new Response(text, {
    headers: { "content-type": "text/plain; charset=utf-8" },
  }) as Response & TypedResponse<string, 200, "text">;

/** Parts of route descriptions. */
export const json = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { "application/json": { schema } },
});

export const body = <T extends z.ZodType>(schema: T) => ({
  required: true,
  content: { "application/json": { schema } },
});

/** Every route may fail; the envelope says how. */
export const failures = { default: json("A failure.", errorEnvelope) };

export const secured = [{ token: [] }];

/** For requests that make a task. */
export const idempotencyHeaders = z.object({
  "idempotency-key": idempotencyKeySchema.optional().meta({
    description:
      "The same key and body give the first answer again; the same key with another body is 409.",
  }),
});

/** Where the task is, and whether it is the answer of an earlier request. */
export function tellAccepted(
  c: { header(name: string, value: string): void },
  { kind, view }: { kind: "accepted" | "replayed"; view: TaskView },
): void {
  if (kind === "replayed") c.header("idempotency-replayed", "true");
  c.header("location", `/api/v1/tasks/${view.id}`);
}
