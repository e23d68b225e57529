import { statSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { readAcpAgents } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import {
  isProviderName,
  type ProviderName,
  providerNames,
  verifiedProviders,
} from "../../orchestrator/worker/services/ai-providers/registry.ts";
import type { AcpAgents } from "../local/deployment.ts";
import { endpointVariables } from "../local/endpoints.ts";
import { findProviderKeys, hasKeyFor, keyNamesOf } from "../local/providerKeys.ts";
import { defaultAgentsFolder, defaultStateFolder } from "../local/stateFolder.ts";
import { messageOf, UsageError } from "../terminal/usageError.ts";

export const usage = `npm start -- [options]

  --repo PATH   a repository, or a folder of repositories, that tasks may work on; once for each
  --agent NAME  an agent to have installed: ${providerNames.join(" or ")}; once for each (default: those that have a key)
  --port N      where to listen (default: 8787; 0: any free port)
  --state DIR   where database, secrets and runs are kept (default: .switchyard/local)
  --agents DIR  where agents are installed (default: .switchyard/agents)
  --acp-agents FILE  further agents, which speak the Agent Client Protocol (docs/adding-an-agent.md)
  --containers  every agent works in a container of its own; needs Docker
  --factory FOLDER  a factory with containers of its own, to run beside it (docs/containers.md); needs Docker
  --verbose     the lines of the worker and the runners too

Keys come from the environment or from .dev.vars: ${providerNames.map(keyNamesOf).join(", ")}.
${endpointVariables.join(", ")} point an agent at another model service.`;

export type StartOptions = {
  repositories: readonly string[];
  /** Those that are named, else those that have a key. */
  wanted: readonly ProviderName[];
  port: number;
  state: string;
  agents: string;
  containers: boolean;
  /** The wrangler.jsonc of a factory with containers of its own. */
  factory: string | null;
  verbose: boolean;
  keys: ReadonlyMap<string, string>;
  acpAgents: AcpAgents | null;
};

export function readOptions(argv: readonly string[]): StartOptions | "help" {
  const values = parse(argv);
  if (values.help) return "help";
  const acpAgents = acpAgentsOf(values["acp-agents"]);
  const keys = findProviderKeys(acpAgents?.agents.flatMap(({ secretNames }) => secretNames));
  return {
    acpAgents,
    repositories: values.repo.map(folderOf),
    wanted: wantedAgents(values.agent, keys),
    port: portOf(values.port),
    state: path.resolve(values.state),
    agents: path.resolve(values.agents),
    containers: values.containers,
    factory: factoryOf(values.factory),
    verbose: values.verbose,
    keys,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        repo: { type: "string", multiple: true, default: [] },
        agent: { type: "string", multiple: true, default: [] },
        port: { type: "string", default: "8787" },
        state: { type: "string", default: defaultStateFolder },
        agents: { type: "string", default: defaultAgentsFolder },
        containers: { type: "boolean", default: false },
        factory: { type: "string" },
        "acp-agents": { type: "string" },
        verbose: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

function acpAgentsOf(given: string | undefined): AcpAgents | null {
  if (given === undefined) return null;
  const file = path.resolve(given);
  try {
    return { file, agents: readAcpAgents(file) };
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

function factoryOf(given: string | undefined): string | null {
  if (given === undefined) return null;
  const config = path.resolve(given, "wrangler.jsonc");
  if (statSync(config, { throwIfNoEntry: false })?.isFile() === true) return config;
  throw new UsageError(`--factory: there is no ${config}.`);
}

function folderOf(given: string): string {
  const folder = path.resolve(given);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  throw new UsageError(`--repo: there is no folder ${folder}.`);
}

function wantedAgents(
  named: readonly string[],
  keys: ReadonlyMap<string, string>,
): readonly ProviderName[] {
  const unknown = named.find((name) => !isProviderName(name));
  if (unknown !== undefined)
    throw new UsageError(
      `There is no agent "${unknown}". Use one of: ${providerNames.join(", ")}.`,
    );
  if (named.length > 0) return named.filter(isProviderName);
  return verifiedProviders.filter((provider) => hasKeyFor(provider, keys));
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new UsageError("--port must be a number from 0 to 65535.");
}
