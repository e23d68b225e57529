import type { EgressDecision, EgressRequest } from "../../domain/egress.ts";
import type { SecretSource } from "../../domain/ports/secrets.ts";

const credentialHeaders = ["authorization", "x-api-key", "x-goog-api-key", "api-key"];
const credentialQuery = "key";
/** What says something of the container, or of the way between it and here. */
const headersOfTheWay =
  /^(host|connection|content-length|transfer-encoding|cookie|proxy-.*|cf-.*|x-forwarded-.*|x-real-ip)$/;

export type EgressDeps = {
  secrets: SecretSource;
  ring(request: Request): Promise<void>;
};

/** What is needed of a request to judge it. */
export function egressRequestOf(request: Request): EgressRequest {
  const shown = credentialHeaders.map((name) => request.headers.get(name) ?? "");
  const asked = new URL(request.url).searchParams.getAll(credentialQuery);
  const credentials = [...shown, ...asked].map(withoutScheme).filter((text) => text !== "");
  return { method: request.method, url: request.url, credentials };
}

/** Carries out what was decided. The key is put on here: it is in no container, and in no row. */
export async function answerEgress(
  deps: EgressDeps,
  request: Request,
  decision: EgressDecision,
): Promise<Response> {
  switch (decision.kind) {
    case "denied":
      return refusal(403, `${decision.host} is not allowed here: ${decision.because}`);
    case "doorbell":
      await deps.ring(request);
      return new Response(null, { status: 204 });
    case "allowed":
      return send(request, request.url, cleanHeaders(request.headers));
    case "model": {
      const key = deps.secrets.find(decision.secretName)?.reveal();
      if (key === undefined) return refusal(401, `the secret ${decision.secretName} is not set`);
      const headers = withKey(cleanHeaders(request.headers), decision.token, key);
      return send(request, withKeyInQuery(decision.url, decision.token, key), headers);
    }
  }
}

const refusal = (status: number, message: string): Response =>
  Response.json({ error: { type: "switchyard_egress", message } }, { status });

/** A redirect goes back to the container, whose next request is judged like any other. */
const send = (request: Request, url: string, headers: Headers): Promise<Response> =>
  fetch(url, {
    method: request.method,
    headers,
    redirect: "manual",
    body: request.method === "GET" || request.method === "HEAD" ? null : request.body,
  });

function cleanHeaders(given: Headers): Headers {
  return new Headers([...given].filter(([name]) => !headersOfTheWay.test(name)));
}

/** The key goes where the token stood; another credential stays behind. */
function withKey(headers: Headers, token: string, key: string): Headers {
  for (const name of credentialHeaders) {
    const shown = headers.get(name);
    if (shown === null) continue;
    if (withoutScheme(shown) === token)
      headers.set(
        name,
        shown.replace(token, () => key),
      );
    else headers.delete(name);
  }
  return headers;
}

function withKeyInQuery(text: string, token: string, key: string): string {
  const url = new URL(text);
  if (!url.searchParams.has(credentialQuery)) return text;
  if (url.searchParams.get(credentialQuery) === token) url.searchParams.set(credentialQuery, key);
  else url.searchParams.delete(credentialQuery);
  return url.href;
}

const withoutScheme = (text: string): string => text.replace(/^Bearer\s+/i, "");
