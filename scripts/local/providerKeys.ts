import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import {
  credentialNamesOf,
  type ProviderDefinition,
  type ProviderName,
  providerNames,
  registry,
} from "../../orchestrator/worker/services/ai-providers/registry.ts";
import { findEndpoint } from "./endpoints.ts";
import { projectRoot } from "./wrangler.ts";

/** The keys of providers that the environment or `.dev.vars` of the project holds, by the name of the secret. */
export function findProviderKeys(further: readonly string[] = []): Map<string, string> {
  const file = path.join(projectRoot, ".dev.vars");
  const written = existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
  return new Map(
    [...providerNames.flatMap(secretNamesOf), ...further].flatMap((name) => {
      const value = process.env[name] ?? written[name] ?? "";
      return value === "" ? [] : [[name, value] as const];
    }),
  );
}

function secretNamesOf(provider: ProviderName): readonly string[] {
  const { secretNames, ownService }: ProviderDefinition = registry[provider];
  return [...secretNames, ...(ownService?.secretNames ?? [])];
}

export const hasKeyFor = (provider: ProviderName, keys: ReadonlyMap<string, string>): boolean =>
  credentialNamesOf(registry[provider], findEndpoint(provider)).secretNames.some((name) =>
    keys.has(name),
  );

export const keyNamesOf = (provider: ProviderName): string =>
  registry[provider].secretNames.join(" or ");
