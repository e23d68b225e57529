import { access, constants, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AgentCommand, AgentRequest, FoundAgent, LineAdapter } from "./agentAdapter.ts";
import { createCopilotParser } from "./copilotEvents.ts";
import { copilotUsageFile } from "./copilotUsage.ts";
import { installedAt, notInstalled } from "./installed.ts";

/** GitHub Copilot CLI, driven by its stream of JSON lines. */
export const copilot: LineAdapter = {
  name: "copilot",
  find: findCopilot,
  command: commandOf,
  unpack: (program) => ({
    argv: [...program, "--version"],
    env: { ...packageCache(program), COPILOT_SEA_EXTRACT_ONLY: "1" },
  }),
  seedHome: async () => {},
  firstSignal: "SIGINT",
  lingerMs: 20_000,
  sessionPaths: [".copilot/session-state", copilotUsageFile],
  createParser: createCopilotParser,
};

/** The native program: a signal to the script that npm links leaves the program behind it running. */
async function findCopilot(agentsDirectory: string): Promise<FoundAgent> {
  const { folder, version } = installedAt(agentsDirectory, "copilot");
  const scope = join(folder, "node_modules", "@github");
  const packages = await readdir(scope).catch(() => []);
  const name = `-${process.platform === "linux" ? "linux(musl)?" : process.platform}-${process.arch}`;
  for (const found of packages.filter((one) => new RegExp(`^copilot${name}$`).test(one)).sort()) {
    const program = join(scope, found, "copilot");
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return { kind: "installed", version, program: [program] };
  }
  return notInstalled("copilot", version);
}

/** It unpacks 235 MB of itself at its first start; below HOME that would be at every run. */
const packageCache = ([program = ""]: readonly string[]) => ({
  COPILOT_PKG_CACHE_HOME: join(dirname(program), "unpacked"),
});

const keyVariables = ["COPILOT_GITHUB_TOKEN", "COPILOT_PROVIDER_API_KEY"];

/** With an endpoint it works without GitHub, and with the key of that service. */
function commandOf(program: readonly string[], request: AgentRequest): AgentCommand {
  const { session, home, model, endpoint } = request;
  return {
    argv: [
      ...program,
      ...["--output-format", "json", "--allow-all-tools", "--no-ask-user"],
      ...["--no-auto-update", "--disable-builtin-mcps", "--disable-client-telemetry"],
      `--secret-env-vars=${keyVariables.join(",")}`,
      ...["--usage-output-file", join(home, copilotUsageFile)],
      ...(session.kind === "new" ? ["--session-id", session.id] : [`--resume=${session.id}`]),
      ...(model === undefined ? [] : ["--model", model]),
    ],
    env: {
      ...packageCache(program),
      COPILOT_AUTO_UPDATE: "false",
      ...(endpoint === undefined ? {} : ownService(endpoint, model ?? "")),
    },
    stdin: request.prompt,
  };
}

/** Which of its wire formats a service speaks goes by the family of the model. */
function ownService(endpoint: string, model: string): Record<string, string> {
  const isClaude = model.startsWith("claude");
  return {
    COPILOT_OFFLINE: "true",
    COPILOT_PROVIDER_BASE_URL: endpoint,
    COPILOT_PROVIDER_TYPE: isClaude ? "anthropic" : "openai",
    ...(isClaude
      ? {}
      : { COPILOT_PROVIDER_WIRE_API: /^gpt-[5-9]/.test(model) ? "responses" : "completions" }),
  };
}
