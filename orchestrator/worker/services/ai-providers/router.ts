import type {
  ProviderConfig,
  ProviderVerdict,
  RouteDecision,
} from "../../../../shared/contracts/provider.ts";
import type { SourceKind } from "../../../../shared/contracts/source.ts";
import type { AgentAvailability } from "../../domain/ports/codeAgent.ts";
import { credentialNamesOf, type KeyPlace, type ProviderDefinition } from "./registry.ts";

export type Candidate = {
  name: string;
  definition: ProviderDefinition;
  /** False for an unverified provider that the deployment does not list. */
  allowed: boolean;
  config: ProviderConfig | null;
  /** The name of the secret that holds its key; null when none is set. */
  credential: string | null;
  /** Null where agents do not work in containers. */
  keyPlace: KeyPlace | null;
  availability: AgentAvailability;
};

export type RouteRequest = {
  sourceKind: SourceKind;
  /** A person's choice: this one and no other, unless `allowFallback`. */
  override: string | null;
  allowFallback: boolean;
  /** The project's wish: tried first. */
  preference: string | null;
  /** Whose changes could not be delivered more than once: taken only when no other provider can take the task. */
  exhausted: readonly string[];
};

/**
 * Decides which provider gets a task, with a reason for every provider that was looked at. An override that
 * cannot be met is refused and never replaced by another provider behind the caller's back.
 */
export function route(request: RouteRequest, candidates: readonly Candidate[]): RouteDecision {
  const verdicts = candidates.map((candidate) => judge(request, candidate));
  const only = request.allowFallback ? null : request.override;
  const considered = verdicts.map((verdict) =>
    only === null || verdict.provider === only || !verdict.eligible
      ? verdict
      : notChosen(verdict, only),
  );

  const wished = [request.override, request.preference].filter((name) => name !== null);
  const able = considered.filter((verdict) => verdict.eligible);
  const others = able.filter(({ provider }) => !request.exhausted.includes(provider));
  const eligible = others.length > 0 ? others : able;
  const chosen =
    wished.map((name) => eligible.find((v) => v.provider === name)).find((v) => v !== undefined) ??
    eligible[0];
  if (chosen !== undefined)
    return {
      kind: "assign",
      provider: chosen.provider,
      because: reasonForChoice(request, chosen.provider),
      considered,
    };
  return none(only, considered);
}

function judge(request: RouteRequest, candidate: Candidate): ProviderVerdict {
  const { name, definition, config, credential, availability } = candidate;
  const no = (code: ProviderVerdict["code"], because: string, transient = false) => ({
    provider: name,
    eligible: false,
    code,
    because,
    transient,
  });
  if (config?.enabled === false) return no("disabled", `${name} is switched off`);
  if (!candidate.allowed)
    return no(
      "unverified",
      `${name} is written after its documentation and was never seen at work: name it in ALLOW_UNVERIFIED_PROVIDERS to use it all the same`,
    );
  if (!definition.capabilities.sources.includes(request.sourceKind))
    return no("source_unsupported", `${name} cannot work on a ${request.sourceKind} source`);
  if (credential === null)
    return no(
      "no_credentials",
      `${name} has no key: set the secret ${credentialNamesOf(definition, config?.apiEndpoint ?? null).secretNames.join(" or ")}`,
    );
  if (candidate.keyPlace?.kind === "refused")
    return no("key_not_allowed", candidate.keyPlace.because);
  if (availability.kind === "unavailable")
    return no(
      availability.code,
      availability.because,
      // A runner that is rolled out later than the worker speaks its protocol soon.
      availability.code !== "agent_not_installed",
    );
  return {
    provider: name,
    eligible: true,
    code: "eligible",
    because: `${definition.title} ${availability.version} is installed and has a key`,
    transient: false,
  };
}

const notChosen = (verdict: ProviderVerdict, only: string): ProviderVerdict => ({
  ...verdict,
  eligible: false,
  code: "not_preferred",
  because: `the task asks for ${only} and allows no fallback`,
});

function reasonForChoice(request: RouteRequest, provider: string): string {
  if (provider === request.override) return "the task asks for it";
  const failed = request.exhausted.includes(request.override ?? "");
  const why = failed ? ", whose changes could not be delivered" : "";
  const instead = request.override === null ? "" : `, in place of ${request.override}${why}`;
  if (provider === request.preference) return `the project prefers it${instead}`;
  return `it is the first provider that can take the task${instead}`;
}

function none(only: string | null, considered: ProviderVerdict[]): RouteDecision {
  const asked = considered.filter((verdict) => only === null || verdict.provider === only);
  return {
    kind: "none",
    because: asked.map((verdict) => verdict.because).join("; "),
    transient: asked.some((verdict) => verdict.transient),
    considered,
  };
}
