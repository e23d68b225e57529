import { type AcpAgent, acpAgentSchema } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import { agentPins } from "../../shared/agentPins.ts";

/** Gemini CLI by the Agent Client Protocol, as an operator would write it. */
export const geminiByAcp: AcpAgent = acpAgentSchema.parse({
  id: "gemini-acp",
  title: "Gemini by ACP",
  version: agentPins.gemini,
  argv: [
    process.execPath,
    `{agents}/gemini@${agentPins.gemini}/node_modules/@google/gemini-cli/bundle/gemini.js`,
    "--acp",
    "--model={model}",
  ],
  env: { GEMINI_CLI_NO_RELAUNCH: "true", GOOGLE_GEMINI_BASE_URL: "{endpoint}" },
  secretNames: ["GEMINI_API_KEY"],
  credentialVariable: "GEMINI_API_KEY",
  authMethod: "gemini-api-key",
  sessionPaths: [".gemini/tmp", ".gemini/projects.json"],
  usage: { scope: "turn" },
});

const opencodeProgram = `opencode-${process.platform}-${process.arch}/bin/opencode`;

/** OpenCode by the same protocol. It takes its model service from a file below its HOME. */
export const opencodeByAcp: AcpAgent = acpAgentSchema.parse({
  id: "opencode-acp",
  title: "OpenCode by ACP",
  version: agentPins.opencode,
  argv: [`{agents}/opencode@${agentPins.opencode}/node_modules/${opencodeProgram}`, "acp"],
  env: {
    OPENCODE_DISABLE_AUTOUPDATE: "1",
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_PERMISSION: '{"*":"allow"}',
  },
  files: {
    ".config/opencode/opencode.json": JSON.stringify({
      model: "endpoint/m1",
      provider: {
        endpoint: {
          npm: "@ai-sdk/openai-compatible",
          options: { baseURL: "{endpoint}/v1", apiKey: "{env:OPENCODE_API_KEY}" },
          models: { m1: { name: "m1" } },
        },
      },
    }),
    ".config/opencode/node_modules/.keep": "",
    ".config/opencode/package-lock.json":
      '{"packages":{"":{"dependencies":{"@opencode-ai/plugin":"*"}}}}',
  },
  secretNames: ["OPENCODE_API_KEY"],
  credentialVariable: "OPENCODE_API_KEY",
  sessionPaths: [".local/share/opencode/opencode.db"],
  usage: { scope: "last-call", costScope: "session" },
});
