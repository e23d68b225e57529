import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { type Role, roleAllows } from "../../../../shared/contracts/identity.ts";
import { SwitchyardError } from "../../../../shared/errors.ts";
import { compose } from "../../compose.ts";
import { maxRequestBytes } from "../../domain/limits.ts";
import { authenticate } from "../../services/identity/tokens.ts";
import { errorResponse } from "./envelope.ts";
import type { HttpEnv } from "./httpEnv.ts";

/** Gives every request an id and its dependencies, and every answer the headers that browsers heed. */
export const prepare = createMiddleware<HttpEnv>(async (c, next) => {
  c.set("requestId", crypto.randomUUID());
  c.set("deps", compose(c.env));
  await next();
  c.header("x-request-id", c.get("requestId"));
  c.header("x-content-type-options", "nosniff");
  c.header("referrer-policy", "no-referrer");
  c.header("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
});

/** A bearer token, or 401. It is looked up by its hash, so the answer takes as long for any wrong one. */
export const requireToken = createMiddleware<HttpEnv>(async (c, next) => {
  const token = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const principal = token === undefined ? null : await authenticate(c.get("deps"), token);
  if (principal === null)
    throw new SwitchyardError(
      "unauthenticated",
      "Send a valid API token as `Authorization: Bearer swy_…`. `npm run bootstrap` makes the first one.",
    );
  c.set("principal", principal);
  await next();
});

export const requireRole = (needed: Role) =>
  createMiddleware<HttpEnv>(async (c, next) => {
    const { role } = c.get("principal");
    if (!roleAllows(role, needed))
      throw new SwitchyardError(
        "forbidden",
        `This needs the role ${needed}; the token's role is ${role}.`,
      );
    await next();
  });

export const limitBody = bodyLimit({
  maxSize: maxRequestBytes,
  onError: (c) =>
    errorResponse(c, "body_too_large", `A request may be ${maxRequestBytes / 1024} KB at most.`),
});

/** A body must be JSON and say so. */
export const requireJson = createMiddleware<HttpEnv>(async (c, next) => {
  if (c.req.raw.body === null || c.req.header("content-length") === "0") return next();
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new SwitchyardError(
      "unsupported_media_type",
      "Send the body as JSON with `content-type: application/json`.",
    );
  const text = await c.req.text();
  if (text !== "" && !isJson(text))
    throw new SwitchyardError("malformed_json", "The body is not valid JSON.");
  return next();
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
