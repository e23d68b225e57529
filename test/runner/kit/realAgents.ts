import type { AgentCommand } from "../../../apps/agent-runner/agents/agentAdapter.ts";
import type { PinnedAgent } from "../../../shared/agentPins.ts";
import type { RealAgent } from "./realRuns.ts";

/** What is particular to one agent where the same is asked of all. */
type Particulars = RealAgent & {
  /** Found in the command line of its process, and of no other. */
  program: string;
  /** Takes from it the leave to change anything. */
  forbidden(command: AgentCommand): AgentCommand;
  deniedWithout: number;
  /** Whether its own tools see the key: then only the runner keeps it back. */
  showsKeyToTools: boolean;
  /** Input tokens of `edit` and of `fix`, each of whose requests counts 1000. */
  inputTokens: { edit: number; fix: number };
  costOfFix: number | null;
  /** What too many requests look like to it. */
  rateLimitStatus: number | null;
  /** What an exhausted allowance looks like to it; `tries_on`: it waits for a better day until it is ended. */
  quota: { status: number | null } | "tries_on";
  /** What the first sign of an answer is that never ends. */
  saysFirst: "init" | "message";
  /** Sent away after its last word, or gone by itself. */
  isDismissed: boolean;
  unknownSession: string;
};

const without =
  (...words: string[]) =>
  (command: AgentCommand): AgentCommand => ({
    ...command,
    argv: command.argv.filter((word) => !words.includes(word)),
  });

const ofLines = {
  saysFirst: "init",
  isDismissed: false,
  unknownSession: "99999999-2222-4333-8444-555555555555",
} as const;

export const particulars: Readonly<Record<PinnedAgent, Particulars>> = {
  "claude-code": {
    ...ofLines,
    agent: "claude-code",
    credentialVariable: "ANTHROPIC_API_KEY",
    model: "claude-sonnet-4-5",
    program: "/claude",
    forbidden: without("--dangerously-skip-permissions"),
    deniedWithout: 3,
    showsKeyToTools: true,
    inputTokens: { edit: 6000, fix: 6000 },
    costOfFix: 19_050,
    rateLimitStatus: 429,
    quota: { status: 429 },
  },
  codex: {
    ...ofLines,
    agent: "codex",
    credentialVariable: "CODEX_API_KEY",
    model: "gpt-5.5",
    endpointPath: "/v1",
    program: "/bin/codex",
    forbidden: without("--dangerously-bypass-approvals-and-sandbox"),
    deniedWithout: 1,
    showsKeyToTools: false,
    inputTokens: { edit: 4000, fix: 5000 },
    costOfFix: null,
    rateLimitStatus: 429,
    quota: { status: 429 },
  },
  gemini: {
    ...ofLines,
    agent: "gemini",
    credentialVariable: "GEMINI_API_KEY",
    model: "gemini-2.5-pro",
    program: "gemini.js",
    forbidden: without("--approval-mode", "yolo"),
    deniedWithout: 3,
    showsKeyToTools: true,
    inputTokens: { edit: 5000, fix: 5000 },
    costOfFix: null,
    rateLimitStatus: 429,
    quota: { status: 429 },
  },
  copilot: {
    ...ofLines,
    agent: "copilot",
    credentialVariable: "COPILOT_PROVIDER_API_KEY",
    model: "gpt-5.4",
    endpointPath: "/v1",
    program: "/copilot",
    forbidden: without("--allow-all-tools"),
    deniedWithout: 2,
    showsKeyToTools: false,
    inputTokens: { edit: 4000, fix: 5000 },
    costOfFix: null,
    rateLimitStatus: 429,
    quota: { status: 429 },
  },
  opencode: {
    agent: "opencode",
    credentialVariable: "OPENCODE_API_KEY",
    model: "m1",
    program: "/opencode ",
    forbidden: (command) => ({
      ...command,
      env: {
        ...command.env,
        OPENCODE_PERMISSION: JSON.stringify({ "*": "allow", edit: "deny", bash: "deny" }),
      },
    }),
    deniedWithout: 3,
    showsKeyToTools: true,
    inputTokens: { edit: 5000, fix: 5000 },
    costOfFix: null,
    rateLimitStatus: 429,
    quota: "tries_on",
    saysFirst: "message",
    isDismissed: true,
    unknownSession: "ses_00000000000000000000000000",
  },
};
