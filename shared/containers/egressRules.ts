/** Names that exist only inside a container: what is asked of them is answered by the worker. */
export const modelHost = "model.switchyard";
export const doorbellHost = "doorbell.switchyard";

/** Base URL of a model service, and the name of the secret that holds its key. */
export type ModelService = { baseUrl: string; secretName: string };

/** What one container may ask for outside, for as long as its run lasts. */
export type EgressPlan = {
  /** All that the container holds in the place of a key. It is worth nothing to anybody else. */
  token: string;
  /** Null: the key is inside. `at_orchestrator`: whoever keeps this plan knows neither, and passes requests on. */
  model: ModelService | "at_orchestrator" | null;
  /** Hosts of the project's allow-list; `*.example.com` stands for every host below it. */
  allowedHosts: readonly string[];
};

export type EgressRequest = {
  method: string;
  url: string;
  /** What the request shows as credentials, from its headers and its query. */
  credentials: readonly string[];
};

export type EgressDecision =
  | { kind: "model"; url: string; secretName: string; token: string }
  /** A request to the model service, with the right token: the orchestrator puts the key on. */
  | { kind: "orchestrator" }
  | { kind: "doorbell" }
  | { kind: "allowed" }
  | { kind: "denied"; host: string; because: EgressDenial };
export type EgressDenial =
  | "host_not_allowed"
  | "wrong_token"
  | "method_not_allowed"
  | "run_is_over";

/** What becomes of a request that leaves a container; null = it has no live run. Everything not named is denied. */
export function judgeEgress(plan: EgressPlan | null, request: EgressRequest): EgressDecision {
  const url = new URL(request.url);
  const host = url.hostname.toLowerCase().replace(/\.+$/, "");
  const denied = (because: EgressDenial): EgressDecision => ({ kind: "denied", host, because });
  if (plan === null) return denied("run_is_over");
  if (host === doorbellHost)
    return request.method === "POST" ? { kind: "doorbell" } : denied("method_not_allowed");
  if (host === modelHost && plan.model !== null)
    return judgeModel(plan.token, plan.model, request, url, denied);
  return plan.allowedHosts.some((pattern) => matches(host, pattern))
    ? { kind: "allowed" }
    : denied("host_not_allowed");
}

function judgeModel(
  token: string,
  model: NonNullable<EgressPlan["model"]>,
  request: EgressRequest,
  url: URL,
  denied: (because: EgressDenial) => EgressDecision,
): EgressDecision {
  if (!request.credentials.includes(token)) return denied("wrong_token");
  if (request.method !== "GET" && request.method !== "POST") return denied("method_not_allowed");
  if (model === "at_orchestrator") return { kind: "orchestrator" };
  const base = model.baseUrl.replace(/\/$/, "");
  return {
    kind: "model",
    url: `${base}${url.pathname}${url.search}`,
    secretName: model.secretName,
    token,
  };
}

function matches(host: string, pattern: string): boolean {
  const name = pattern.toLowerCase();
  return name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name;
}
