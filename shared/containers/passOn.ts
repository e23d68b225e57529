import type { EgressRequest } from "./egressRules.ts";

/** Where a request to a model service may show a credential. */
export const credentialHeaders = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
export const credentialQuery = "key";

/** Names the execution whose container asks, on the way from a factory's worker to the orchestrator. */
export const executionHeader = "switchyard-execution";

/** What says something of the container, or of the way between it and here. */
const headersOfTheWay =
  /^(host|connection|content-length|transfer-encoding|cookie|proxy-.*|cf-.*|x-forwarded-.*|x-real-ip|switchyard-.*)$/;

/** What is needed of a request that leaves a container to judge it. */
export function egressRequestOf(request: Request): EgressRequest {
  const shown = credentialHeaders.map((name) => request.headers.get(name) ?? "");
  const asked = new URL(request.url).searchParams.getAll(credentialQuery);
  const credentials = [...shown, ...asked].map(withoutScheme).filter((text) => text !== "");
  return { method: request.method, url: request.url, credentials };
}

export const withoutScheme = (text: string): string => text.replace(/^Bearer\s+/i, "");

export function cleanHeaders(given: Headers): Headers {
  return new Headers([...given].filter(([name]) => !headersOfTheWay.test(name)));
}

/** A redirect goes back to the container, whose next request is judged like any other. */
export const passOn = (
  request: Request,
  url = request.url,
  headers = cleanHeaders(request.headers),
): Promise<Response> =>
  fetch(url, {
    method: request.method,
    headers,
    redirect: "manual",
    body: request.method === "GET" || request.method === "HEAD" ? null : request.body,
  });

export const egressRefusal = (status: number, message: string): Response =>
  Response.json({ error: { type: "switchyard_egress", message } }, { status });
