import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import {
  type ErrorCode,
  errorCodes,
  errorTable,
  SwitchyardError,
} from "../../../../shared/errors.ts";
import type { HttpEnv } from "./httpEnv.ts";

/** The one shape of every failure. */
export const errorEnvelope = z
  .strictObject({
    error: z.strictObject({
      code: z.enum(errorCodes),
      message: z.string().meta({ description: "Safe to show; says what to do next." }),
      requestId: z.string(),
      details: z
        .array(z.strictObject({ path: z.string(), message: z.string() }))
        .optional()
        .meta({ description: "Every fault of a request that does not fit its schema." }),
    }),
  })
  .meta({ id: "Error" });

type Detail = { path: string; message: string };

export function errorResponse(
  c: Context<HttpEnv>,
  code: ErrorCode,
  message: string,
  details?: Detail[],
) {
  const error = { code, message, requestId: c.get("requestId") };
  const status = errorTable[code].http as ContentfulStatusCode;
  if (errorTable[code].retry === "later") c.header("retry-after", "5");
  return c.json({ error: details === undefined ? error : { ...error, details } }, status);
}

/** The only place of this face where an error becomes an answer. What is not ours is logged and shown as `internal`. */
export function onError(error: Error, c: Context<HttpEnv>) {
  if (error instanceof SwitchyardError) {
    if (errorTable[error.code].http >= 500)
      c.get("deps")?.log.error("http.failed", { requestId: c.get("requestId"), error });
    return errorResponse(c, error.code, error.message);
  }
  if (error instanceof HTTPException && error.status === 400)
    return errorResponse(c, "malformed_json", "The body is not valid JSON.");
  c.get("deps")?.log.error("http.failed", { requestId: c.get("requestId"), error });
  const requestId = c.get("requestId");
  return errorResponse(
    c,
    "internal",
    `Something went wrong here. Tell us the request id ${requestId}.`,
  );
}

/** A request that does not fit its schema: every fault with its path, and a code of its own where there is one. */
export function onInvalid(
  result: { success: true } | { success: false; error: z.core.$ZodError },
  c: Context<HttpEnv>,
) {
  if (result.success) return undefined;
  const details = result.error.issues.map((issue) => ({
    path: issue.path.map(String).join("."),
    message: issue.message,
  }));
  const [first] = details;
  const where = first?.path ? `${first.path}: ` : "";
  const message = `${where}${first?.message ?? "The request does not fit its schema."}`;
  return errorResponse(c, codeOf(details), message, details);
}

function codeOf(details: Detail[]): ErrorCode {
  const paths = details.map(({ path }) => path);
  if (paths.includes("prompt")) return "prompt_required";
  if (paths.some((path) => path.startsWith("limits.") && path.endsWith("Seconds")))
    return "invalid_timeout";
  return "invalid_request";
}
