import type { z } from "@hono/zod-openapi";
import { errorEnvelope } from "../envelope.ts";

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
