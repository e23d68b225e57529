import type { EgressDecision } from "../../../../shared/containers/egressRules.ts";
import {
  cleanHeaders,
  credentialHeaders,
  credentialQuery,
  egressRefusal,
  passOn,
  withoutScheme,
} from "../../../../shared/containers/passOn.ts";
import type { SecretSource } from "../../domain/ports/secrets.ts";

export type EgressDeps = {
  secrets: SecretSource;
  ring(request: Request): Promise<void>;
};

/** Carries out what was decided. The key is put on here: it is in no container, and in no row. */
export async function answerEgress(
  deps: EgressDeps,
  request: Request,
  decision: EgressDecision,
): Promise<Response> {
  switch (decision.kind) {
    case "denied":
      return egressRefusal(403, `${decision.host} is not allowed here: ${decision.because}`);
    case "doorbell":
      await deps.ring(request);
      return new Response(null, { status: 204 });
    case "allowed":
      return passOn(request);
    case "orchestrator":
      return egressRefusal(403, "the model service of this container is not known");
    case "model": {
      const key = deps.secrets.find(decision.secretName)?.reveal();
      if (key === undefined)
        return egressRefusal(401, `the secret ${decision.secretName} is not set`);
      const headers = withKey(cleanHeaders(request.headers), decision.token, key);
      return passOn(request, withKeyInQuery(decision.url, decision.token, key), headers);
    }
  }
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
