import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import type { AgentCommand, AgentRequest, FoundAgent, LineAdapter } from "./agentAdapter.ts";
import { createCodexParser } from "./codexEvents.ts";
import { codexSessions } from "./codexSession.ts";
import { installedAt, notInstalled } from "./installed.ts";

/** Codex CLI, driven by `codex exec --json`. */
export const codex: LineAdapter = {
  name: "codex",
  find: findCodex,
  command: commandOf,
  seedHome: async () => {},
  firstSignal: "SIGINT",
  lingerMs: 20_000,
  sessionPaths: [codexSessions],
  createParser: createCodexParser,
};

const targets: Readonly<Record<string, string>> = {
  "linux-x64": "x86_64-unknown-linux-musl",
  "linux-arm64": "aarch64-unknown-linux-musl",
  "darwin-x64": "x86_64-apple-darwin",
  "darwin-arm64": "aarch64-apple-darwin",
};

/** The native program: a signal to the script that npm links stops at that script. */
async function findCodex(agentsDirectory: string): Promise<FoundAgent> {
  const { folder, version } = installedAt(agentsDirectory, "codex");
  const platform = `${process.platform}-${process.arch}`;
  const vendor = join(folder, "node_modules", "@openai", `codex-${platform}`, "vendor");
  const program = join(vendor, targets[platform] ?? "unknown", "bin", "codex");
  const isThere = await access(program, constants.X_OK).then(
    () => true,
    () => false,
  );
  return isThere
    ? { kind: "installed", version, program: [program] }
    : notInstalled("codex", version);
}

const keyVariable = "CODEX_API_KEY";
const ownEndpoint = "https://api.openai.com/v1";

/**
 * A provider of our own, even for the usual endpoint: the built-in one tries a WebSocket for seconds first, and
 * its many retries cannot be set.
 */
const modelProvider = (endpoint: string): string =>
  `{${[
    `name="switchyard"`,
    `base_url=${JSON.stringify(endpoint)}`,
    `env_key="${keyVariable}"`,
    `wire_api="responses"`,
    "request_max_retries=2",
    "stream_max_retries=2",
  ].join(",")}}`;

/**
 * Its own sandbox is off: the container is the boundary. Of the variables, tools get all but those that are named
 * like a secret; the marks by which the processes of a run are found stay. Its log tells what the model service
 * answered, without what was said; its events do not.
 */
function commandOf(program: readonly string[], request: AgentRequest): AgentCommand {
  const { session } = request;
  const settings = {
    model_provider: `"switchyard"`,
    "model_providers.switchyard": modelProvider(request.endpoint ?? ownEndpoint),
    "shell_environment_policy.ignore_default_excludes": "false",
    "shell_environment_policy.exclude": '["RUST_LOG"]',
    check_for_update_on_startup: "false",
    "analytics.enabled": "false",
    "features.apps": "false",
    "features.plugins": "false",
  };
  return {
    argv: [
      ...program,
      "exec",
      ...(session.kind === "resume" ? ["resume", session.id] : []),
      "--json",
      "--skip-git-repo-check",
      "--dangerously-bypass-approvals-and-sandbox",
      ...(request.model === undefined ? [] : ["-m", request.model]),
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
      "-",
    ],
    env: { RUST_LOG: "error,codex_otel.trace_safe=info" },
    stdin: request.prompt,
  };
}
