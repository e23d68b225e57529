/** `npm start`: the whole of Switchyard on this machine. See `npm start -- --help`. */
import { installAgent } from "../apps/agent-runner/agents/install.ts";
import {
  type ProviderName,
  providerNames,
} from "../orchestrator/worker/services/ai-providers/registry.ts";
import { createClient } from "./demo/client.ts";
import { factoryBase } from "./local/containerImage.ts";
import { type LocalDeployment, startLocal } from "./local/deployment.ts";
import {
  applyEndpoint,
  type EndpointInUse,
  endpointsInUse,
  findEndpointOrigins,
} from "./local/endpoints.ts";
import { requireDocker, requirePrograms } from "./local/preflight.ts";
import { greeting } from "./start/greeting.ts";
import { readOptions, type StartOptions, usage } from "./start/options.ts";
import { outliveReader } from "./terminal/outliveReader.ts";
import { messageOf, UsageError } from "./terminal/usageError.ts";

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === "help") console.log(usage);
    else await serve(options);
    return 0;
  } catch (error) {
    const isUsage = error instanceof UsageError;
    console.error(`start: ${messageOf(error)}${isUsage ? `\n\n${usage}` : ""}`);
    return isUsage ? 2 : 1;
  }
}

async function serve(options: StartOptions): Promise<void> {
  outliveReader();
  const cancelling = new AbortController();
  const signal = untilSignal();
  void signal.then((name) => cancelling.abort(new Error(`${name} came before it had started`)));
  requirePrograms();
  const { wanted, agents, containers, factory } = options;
  if (containers || factory !== null) await requireDocker();
  if (!containers) for (const agent of wanted) await install(agent, agents, cancelling.signal);
  console.log(
    containers || factory !== null
      ? "Starting the worker, and building the image of the containers …"
      : "Starting the worker and the two runners …",
  );
  const deployment = await start(options, cancelling.signal);
  try {
    console.log(greeting(options, deployment, await pointAtModels(deployment)));
    const ended = await Promise.race([signal, deployment.gaveUp]);
    console.log(`\n${ended}: ending the worker and the runners …`);
  } finally {
    await deployment.stop();
  }
}

function start(
  {
    repositories,
    state,
    agents,
    port,
    keys,
    containers,
    factory,
    verbose,
    acpAgents,
  }: StartOptions,
  cancelled: AbortSignal,
): Promise<LocalDeployment> {
  return startLocal({
    state,
    agents,
    repositories,
    providerKeys: keys,
    allowedEndpoints: findEndpointOrigins(),
    ...(acpAgents === null ? {} : { acpAgents }),
    port,
    image: containers ? factoryBase : null,
    factory,
    onNotice: (text) => console.log(text),
    onLine: (from, line) => verbose && console.log(`[${from}] ${line}`),
    cancelled,
  });
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

/** Where the variables of the agents' own users say so. */
async function pointAtModels({ url, token }: LocalDeployment): Promise<readonly EndpointInUse[]> {
  const client = createClient(url, token);
  for (const provider of providerNames) await applyEndpoint(client, provider);
  return endpointsInUse(client);
}

/** Called before anything is started: a signal between a start and its handler would end this program alone. */
function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(name, () => resolve(name));
  });
}
