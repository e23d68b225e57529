/**
 * `npm start`: the whole of Switchyard on this machine.
 *   npm start -- --repo PATH [--repo PATH]... [--agent NAME]... [--port 8787] [--state DIR] [--verbose]
 */
import path from "node:path";
import { parseArgs } from "node:util";
import { installAgent } from "../apps/agent-runner/agents/install.ts";
import {
  isProviderName,
  type ProviderName,
  providerNames,
} from "../orchestrator/worker/services/ai-providers/registry.ts";
import { startLocal } from "./local/deployment.ts";
import { requirePrograms } from "./local/preflight.ts";
import {
  findEndpointOrigins,
  findProviderKeys,
  hasKeyFor,
  keyNamesOf,
} from "./local/providerKeys.ts";
import { defaultAgentsFolder, defaultStateFolder } from "./local/stateFolder.ts";
import { outliveReader } from "./terminal/outliveReader.ts";

try {
  await main();
} catch (error) {
  console.error(`start: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      repo: { type: "string", multiple: true, default: [] },
      agent: { type: "string", multiple: true, default: [] },
      port: { type: "string", default: "8787" },
      state: { type: "string", default: defaultStateFolder },
      agents: { type: "string", default: defaultAgentsFolder },
      verbose: { type: "boolean", default: false },
    },
  });
  outliveReader();
  const cancelling = new AbortController();
  const signal = untilSignal();
  void signal.then((name) => cancelling.abort(new Error(`${name} came before it had started`)));
  requirePrograms();
  const keys = findProviderKeys();
  const wanted = wantedAgents(values.agent, keys);
  for (const agent of wanted) await install(agent, path.resolve(values.agents), cancelling.signal);
  console.log("Starting the worker and the two runners …");
  const deployment = await startLocal({
    state: values.state,
    agents: values.agents,
    repositories: values.repo,
    providerKeys: keys,
    allowedEndpoints: findEndpointOrigins(),
    port: portOf(values.port),
    onNotice: (text) => console.log(text),
    onLine: (from, line) => values.verbose && console.log(`[${from}] ${line}`),
    cancelled: cancelling.signal,
  });
  greet(deployment, values.repo, wanted, keys);

  const ended = await Promise.race([signal, deployment.gaveUp]);
  console.log(`\n${ended}: ending the worker and the runners …`);
  await deployment.stop();
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error("--port must be a number from 0 to 65535");
}

/** Those that are named, else those that have a key. */
function wantedAgents(
  named: readonly string[],
  keys: ReadonlyMap<string, string>,
): readonly ProviderName[] {
  const unknown = named.find((name) => !isProviderName(name));
  if (unknown !== undefined)
    throw new Error(`there is no agent "${unknown}"; use one of: ${providerNames.join(", ")}`);
  if (named.length > 0) return named.filter(isProviderName);
  return providerNames.filter((provider) => hasKeyFor(provider, keys));
}

async function install(
  agent: ProviderName,
  agentsDirectory: string,
  cancelled: AbortSignal,
): Promise<void> {
  const outcome = await installAgent({
    agent,
    agentsDirectory,
    cancelled,
    onProgress: (text) => text.startsWith("installing") && console.log(`${text} …`),
  });
  if (outcome.kind === "failed") throw new Error(outcome.message);
}

function greet(
  { url, token }: { url: string; token: string },
  repositories: readonly string[],
  agents: readonly ProviderName[],
  keys: ReadonlyMap<string, string>,
): void {
  const withKey = agents.filter((agent) => hasKeyFor(agent, keys));
  console.log(`
Switchyard runs on this machine, for you alone: agents work here without isolation.

  URL            ${url}          (${url}/openapi.json)
  token          ${token}
  repositories   ${repositories.length > 0 ? repositories.join(", ") : "none: name them with --repo PATH"}
  agents         ${withKey.length > 0 ? withKey.join(", ") : `none has a key: set ${keyNamesOf("claude-code")} or ${keyNamesOf("gemini")}`}

Ctrl-C ends all of it.
`);
}

/** Called before anything is started: a signal between a start and its handler would end this program alone. */
function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(name, () => resolve(name));
  });
}
