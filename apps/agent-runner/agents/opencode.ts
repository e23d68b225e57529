import { access, constants, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AgentCommand, AgentRequest, FoundAgent, SessionAdapter } from "./agentAdapter.ts";
import { installedAt, notInstalled } from "./installed.ts";
import type { ModelRef } from "./opencode/opencodeClient.ts";
import { converseWithOpencode } from "./opencode/opencodeConversation.ts";

/** OpenCode, driven by `opencode serve`: only there can a turn be ended without its tools living on. */
export const opencode: SessionAdapter = {
  name: "opencode",
  find: findOpencode,
  command: commandOf,
  seedHome,
  firstSignal: "SIGTERM",
  sessionPaths: [".local/share/opencode/opencode.db"],
  converse: (session) => converseWithOpencode(session, modelOf(session.request)),
};

/** The native program of this platform: with install scripts off nothing has linked it to its launcher. */
async function findOpencode(agentsDirectory: string): Promise<FoundAgent> {
  const { folder, version } = installedAt(agentsDirectory, "opencode");
  const platform = `opencode-${process.platform}-${process.arch}`;
  const program = join(folder, "node_modules", platform, "bin", "opencode");
  const isThere = await access(program, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!isThere) return notInstalled("opencode", version);
  return { kind: "installed", version, program: [program] };
}

const keyVariable = "OPENCODE_API_KEY";
const endpointProvider = "endpoint";
const ownProvider = "opencode";

/** What an endpoint is asked for when nobody names a model. */
const defaultModel = "default";

/**
 * The repository's own settings are left aside: they may name programs to start. A question to a person would never
 * be answered.
 */
function commandOf(program: readonly string[], request: AgentRequest): AgentCommand {
  return {
    argv: [...program, "serve", "--hostname", "127.0.0.1", "--port", "0"],
    env: {
      OPENCODE_SERVER_PASSWORD: request.password,
      OPENCODE_CONFIG_CONTENT: JSON.stringify(configOf(request)),
      OPENCODE_PERMISSION: JSON.stringify({ "*": "allow", question: "deny" }),
      OPENCODE_DISABLE_PROJECT_CONFIG: "1",
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_DISABLE_MODELS_FETCH: "1",
      OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    },
    stdin: "",
  };
}

/** An endpoint speaks the chat completions of OpenAI; without one the key is of OpenCode's own service. */
function configOf(request: AgentRequest): object {
  const { endpoint, endpointIsOwn } = request;
  const model = modelOf(request);
  const settings = {
    autoupdate: false,
    share: "disabled",
    ...(model === null ? {} : nameModel(`${model.providerID}/${model.modelID}`)),
  };
  if (endpoint !== undefined && endpointIsOwn) return { ...settings, ...ownServiceAt(endpoint) };
  if (endpoint === undefined || model === null) return settings;
  const options = { baseURL: baseUrlOf(endpoint), apiKey: `{env:${keyVariable}}` };
  return {
    ...settings,
    enabled_providers: [endpointProvider],
    provider: {
      [endpointProvider]: {
        npm: "@ai-sdk/openai-compatible",
        name: "Endpoint",
        options,
        models: { [model.modelID]: { name: model.modelID } },
      },
    },
  };
}

/** OpenCode itself knows which wire format each model of its own service speaks. */
const ownServiceAt = (baseURL: string): object => ({
  enabled_providers: [ownProvider],
  provider: { [ownProvider]: { options: { baseURL, apiKey: `{env:${keyVariable}}` } } },
});

const nameModel = (model: string) => ({ model, small_model: model });

/** Null leaves the choice to OpenCode. */
function modelOf({ endpoint, endpointIsOwn, model }: AgentRequest): ModelRef | null {
  if (endpoint !== undefined && !endpointIsOwn)
    return { providerID: endpointProvider, modelID: model ?? defaultModel };
  if (model === undefined) return null;
  const slash = model.indexOf("/");
  if (slash === -1) return { providerID: ownProvider, modelID: model };
  return { providerID: model.slice(0, slash), modelID: model.slice(slash + 1) };
}

const baseUrlOf = (endpoint: string): string => {
  const url = endpoint.replace(/\/+$/, "");
  return /\/v\d+$/.test(url) ? url : `${url}/v1`;
};

/** At its start it installs the package for its plugins, unless these two say that it is there. There are none. */
async function seedHome(home: string): Promise<void> {
  const folder = join(home, ".config", "opencode");
  await mkdir(join(folder, "node_modules"), { recursive: true, mode: 0o700 });
  const lock = { packages: { "": { dependencies: { "@opencode-ai/plugin": "*" } } } };
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock), { mode: 0o600 });
}
