import { access, constants, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { AgentCommand, AgentRequest, FoundAgent, LineAdapter } from "./agentAdapter.ts";
import { createClaudeCodeParser } from "./claudeCodeEvents.ts";
import { installedAt, notInstalled } from "./installed.ts";

/** Claude Code, driven by `claude -p` with its stream of JSON lines. */
export const claudeCode: LineAdapter = {
  name: "claude-code",
  find: findClaude,
  command: commandOf,
  seedHome: async () => {},
  firstSignal: "SIGINT",
  lingerMs: 20_000,
  sessionPaths: [".claude/projects"],
  createParser: createClaudeCodeParser,
};

/** The native program of this platform: with install scripts off nothing has linked it to `bin/claude`. */
async function findClaude(agentsDirectory: string): Promise<FoundAgent> {
  const { folder, version } = installedAt(agentsDirectory, "claude-code");
  const scope = join(folder, "node_modules", "@anthropic-ai");
  const packages = await readdir(scope).catch(() => []);
  const platform = `claude-code-${process.platform}-${process.arch}`;
  for (const name of packages.filter((name) => name.startsWith(platform)).sort()) {
    const program = join(scope, name, "claude");
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return { kind: "installed", version, program: [program] };
  }
  return notInstalled("claude-code", version);
}

function commandOf(program: readonly string[], request: AgentRequest): AgentCommand {
  const { session } = request;
  return {
    argv: [
      ...program,
      "-p",
      ...["--output-format", "stream-json", "--verbose"],
      "--dangerously-skip-permissions",
      ...["--setting-sources", ""],
      "--strict-mcp-config",
      ...(session.kind === "new" ? ["--session-id", session.id] : ["--resume", session.id]),
      ...(request.model === undefined ? [] : ["--model", request.model]),
    ],
    env: {
      CLAUDE_CODE_MAX_RETRIES: "2",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      ...(process.getuid?.() === 0 ? { IS_SANDBOX: "1" } : {}),
      ...(request.endpoint === undefined ? {} : { ANTHROPIC_BASE_URL: request.endpoint }),
    },
    stdin: request.prompt,
  };
}
