import { beforeAll, describe, expect, it } from "vitest";
import { acpAgentSchema } from "../../apps/agent-runner/agents/acp/acpConfig.ts";
import { installAgent } from "../../apps/agent-runner/agents/install.ts";
import { untilRunning } from "./kit/processes.ts";
import { particulars } from "./kit/realAgents.ts";
import {
  beginReal,
  expectCancelled,
  filesBelow,
  playInTurn,
  playReal,
  type RealAgent,
} from "./kit/realRuns.ts";
import { agentsDirectory } from "./kit/runners.ts";
import { waitForEvent } from "./kit/scriptAgent.ts";

const { opencode } = particulars;

beforeAll(async () => {
  for (const agent of ["opencode", "gemini"] as const) {
    const outcome = await installAgent({ agent, agentsDirectory });
    if (outcome.kind === "failed") throw new Error(outcome.message);
  }
}, 300_000);

describe("opencode", () => {
  it("tells of a request that its service refuses", async () => {
    const { report } = await playReal(opencode, "error-400");

    expect(report).toMatchObject({
      terminal: { ok: false },
      error: { kind: "invalid_request", status: 400 },
      patch: null,
    });
  });

  it("is cancelled before it listens", async () => {
    const opened = await beginReal(opencode, "hang");
    await waitForEvent(opened, "/runs/exec_1", ({ type }) => type === "agent_started");

    await expectCancelled(opened);
  });

  it("that prints its password shows it to nobody, and keeps its session in one database", async () => {
    const { events, state } = await playReal(opencode, "leak");

    expect(JSON.stringify(events)).toContain("OPENCODE_SERVER_PASSWORD=[secret:AGENT_PASSWORD]");
    expect(filesBelow(state).filter((path) => path.endsWith("opencode.db"))).toHaveLength(1);
  });
});

/** By configuration alone, as an operator would write it. */
const geminiByAcp: RealAgent = {
  agent: "gemini-acp",
  credentialVariable: "GEMINI_API_KEY",
  model: "gemini-2.5-pro",
  choice: {
    acpAgents: [
      acpAgentSchema.parse({
        id: "gemini-acp",
        title: "Gemini by ACP",
        version: "0.61.0",
        argv: [
          process.execPath,
          "{agents}/gemini@0.61.0/node_modules/@google/gemini-cli/bundle/gemini.js",
          "--acp",
          "--model={model}",
        ],
        env: { GEMINI_CLI_NO_RELAUNCH: "true", GOOGLE_GEMINI_BASE_URL: "{endpoint}" },
        secretNames: ["GEMINI_API_KEY"],
        credentialVariable: "GEMINI_API_KEY",
        authMethod: "gemini-api-key",
        sessionPaths: [".gemini/tmp", ".gemini/projects.json"],
        usage: { scope: "turn" },
      }),
    ],
  },
};

const opencodeByAcp: RealAgent = {
  agent: "opencode-acp",
  credentialVariable: "OPENCODE_API_KEY",
  model: "m1",
  choice: {
    acpAgents: [
      acpAgentSchema.parse({
        id: "opencode-acp",
        title: "OpenCode by ACP",
        argv: ["{agents}/opencode@1.18.33/node_modules/opencode-linux-x64/bin/opencode", "acp"],
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
      }),
    ],
  },
};

describe.each([geminiByAcp, opencodeByAcp])("$agent, by configuration alone", (real) => {
  it("edits", async () => {
    const { report } = await playReal(real, "edit");

    expect(report).toMatchObject({
      agent: real.agent,
      terminal: { ok: true, reason: "end_turn" },
      error: null,
      toolCalls: 4,
      deniedToolCalls: 0,
      patch: { files: { "src/math.js": { op: "edit" }, "test/math.test.js": { op: "create" } } },
    });
  });

  it("with a wrong key tells so", async () => {
    const { report } = await playReal(real, "error-401");

    expect(report).toMatchObject({
      terminal: { ok: false },
      error: { kind: "auth" },
      patch: null,
    });
  });

  it("is cancelled during a command that takes minutes, which ends too", async () => {
    const opened = await beginReal(real, "slow-tool");
    await untilRunning(opened.state, "sleep 300");

    await expectCancelled(opened);
  });

  it("that prints its key shows it to nobody", async () => {
    const { report, events } = await playReal(real, "leak");

    expect(JSON.stringify(events) + JSON.stringify(report)).toContain(
      `[secret:${real.credentialVariable}]`,
    );
  });
});

describe("opencode-acp", () => {
  it("resumes its session in a later run, by configuration alone", async () => {
    const { second, session } = await playInTurn(opencodeByAcp, ["plain", "edit"]);

    expect(second.report).toMatchObject({
      sessionId: session,
      terminal: { ok: true },
      toolCalls: 4,
    });
  });
});
