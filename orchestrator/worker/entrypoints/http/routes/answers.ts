import type { z } from "@hono/zod-openapi";
import type { TypedResponse } from "hono";
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
