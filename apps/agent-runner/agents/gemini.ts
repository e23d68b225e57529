import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AgentCommand, AgentRequest, FoundAgent, LineAdapter } from "./agentAdapter.ts";
import { createGeminiParser } from "./geminiEvents.ts";
import { installedAt, notInstalled } from "./installed.ts";

/** Gemini CLI, driven by its stream of JSON lines. */
export const gemini: LineAdapter = {
  name: "gemini",
  find: findGemini,
  command: commandOf,
  seedHome,
  firstSignal: "SIGTERM",
  lingerMs: 20_000,
  sessionPaths: [".gemini/tmp", ".gemini/projects.json"],
  createParser: createGeminiParser,
};

/** Plain JavaScript, so the node that runs the runner runs it. */
async function findGemini(agentsDirectory: string): Promise<FoundAgent> {
  const { folder, version } = installedAt(agentsDirectory, "gemini");
  const entry = join(folder, "node_modules", "@google", "gemini-cli", "bundle", "gemini.js");
  const isThere = (await stat(entry).catch(() => null)) !== null;
  if (!isThere) return notInstalled("gemini", version);
  return { kind: "installed", version, program: [process.execPath, "--no-warnings", entry] };
}

/** Without NO_RELAUNCH it starts itself a second time, and signals reach only the first. */
function commandOf(program: readonly string[], request: AgentRequest): AgentCommand {
  const { session } = request;
  return {
    argv: [
      ...program,
      ...["-o", "stream-json", "--approval-mode", "yolo", "--skip-trust"],
      ...(session.kind === "new" ? ["--session-id", session.id] : ["--resume", session.id]),
      ...(request.model === undefined ? [] : ["-m", request.model]),
    ],
    env: {
      GEMINI_CLI_NO_RELAUNCH: "true",
      ...(request.endpoint === undefined ? {} : { GOOGLE_GEMINI_BASE_URL: request.endpoint }),
    },
    stdin: request.prompt,
  };
}

/**
 * Without a selected kind of login a custom endpoint makes it ask for one it does not have. Ten tries would take
 * minutes, in which Switchyard could have given the task to another.
 */
const settings = {
  security: { auth: { selectedType: "gemini-api-key" } },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 3 },
};

async function seedHome(home: string): Promise<void> {
  await mkdir(join(home, ".gemini"), { mode: 0o700 });
  await writeFile(join(home, ".gemini", "settings.json"), JSON.stringify(settings), {
    mode: 0o600,
  });
}
