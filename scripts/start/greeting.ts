import type { EndpointInUse } from "../local/endpoints.ts";
import { hasKeyFor, keyNamesOf } from "../local/providerKeys.ts";
import type { StartOptions } from "./options.ts";

/** What a person needs to use what was started. */
export function greeting(
  { port, repositories, wanted, keys, acpAgents }: StartOptions,
  { url, token }: { url: string; token: string },
  endpoints: readonly EndpointInUse[],
): string {
  const withKey = wanted.filter((agent) => hasKeyFor(agent, keys));
  const further = (acpAgents?.agents ?? [])
    .filter(({ secretNames }) => secretNames.some((name) => keys.has(name)))
    .map(({ id }) => id);
  const isOther = port !== 0 && new URL(url).port !== String(port);
  const rows: [string, string][] = [
    ["URL", `${url}          (${url}/openapi.json)`],
    ...(isOther ? [["", `port ${port} is taken by another program`] as [string, string]] : []),
    ["token", token],
    ["repositories", repositories.join(", ") || "none: name them with --repo PATH"],
    ["agents", [...withKey, ...further].join(", ") || noKey],
    ...endpoints.map((one): [string, string] => ["model", endpointText(one)]),
  ];
  const lines = rows.map(([name, text]) => `  ${name.padEnd(14)} ${text}`);
  return `
Switchyard runs on this machine, for you alone: agents work here without isolation.

${lines.join("\n")}

Ctrl-C ends all of it.
`;
}

const noKey = `none has a key: set ${keyNamesOf("claude-code")} or ${keyNamesOf("gemini")}`;

const endpointText = ({ provider, endpoint, variable }: EndpointInUse): string =>
  `${provider} talks to ${endpoint} (${variable === null ? "as configured" : `by ${variable}`})`;
