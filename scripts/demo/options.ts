import path from "node:path";
import { parseArgs } from "node:util";
import {
  isProviderName,
  type ProviderName,
  verifiedProviders,
} from "../../orchestrator/worker/services/ai-providers/registry.ts";
import { findProviderKeys, hasKeyFor, keyNamesOf } from "../local/providerKeys.ts";
import { defaultAgentsFolder } from "../local/stateFolder.ts";
import { messageOf, UsageError } from "../terminal/usageError.ts";

export const usage = `npm run demo -- [options]

  --agent NAME       ${verifiedProviders.join(" or ")} (default: gemini, the lightest to install)
  --repo PATH        a repository of your own; needs --prompt and a real key
  --prompt TEXT      what the agent shall do
  --validate COMMAND what must pass before the commit is made, such as "npm test"
  --containers       the agent works in a container of its own; needs Docker
  --keep             leave the repository and all state where they are, and say where
  --json             one JSON object on stdout at the end, the story on stderr

A key in the environment or in .dev.vars is used with the real model; without one the demo plays a script.`;

export type DemoOptions = {
  agent: ProviderName;
  agents: string;
  own: { repository: string; prompt: string } | null;
  validate: string[] | null;
  containers: boolean;
  keep: boolean;
  json: boolean;
  keys: ReadonlyMap<string, string>;
  model: "scripted" | "live";
};

/** The agent that is lightest to install. */
const defaultAgent: ProviderName = "gemini";

export function readOptions(argv: readonly string[]): DemoOptions | "help" {
  const values = parse(argv);
  if (values.help) return "help";
  const agent = values.agent ?? defaultAgent;
  if (!isProviderName(agent) || !verifiedProviders.includes(agent))
    throw new UsageError(
      `There is no agent "${agent}". Use one of: ${verifiedProviders.join(", ")}.`,
    );
  const keys = findProviderKeys();
  const model = hasKeyFor(agent, keys) ? "live" : "scripted";
  return {
    agent,
    agents: path.resolve(values.agents),
    own: ownRepository(values, agent, model),
    validate: values.validate === undefined ? null : words(values.validate),
    containers: values.containers,
    keep: values.keep,
    json: values.json,
    keys,
    model,
  };
}

type Values = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        agent: { type: "string" },
        agents: { type: "string", default: defaultAgentsFolder },
        repo: { type: "string" },
        prompt: { type: "string" },
        validate: { type: "string" },
        containers: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

function ownRepository(
  { repo, prompt }: Values,
  agent: ProviderName,
  model: DemoOptions["model"],
): DemoOptions["own"] {
  if (repo === undefined && prompt === undefined) return null;
  if (repo === undefined) throw new UsageError("--prompt needs --repo: say which repository.");
  if (prompt === undefined || prompt.trim() === "")
    throw new UsageError("--repo needs --prompt: say what the agent shall do.");
  if (model === "scripted")
    throw new UsageError(
      `A repository of your own needs a real model: a script cannot know it. Set ${keyNamesOf(agent)} in the environment or in .dev.vars.`,
    );
  return { repository: path.resolve(repo), prompt };
}

/** A command line as words, with quotes; no shell will see it. */
function words(text: string): string[] {
  const found = [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)];
  const argv = found.map(([, double, single, plain]) => double ?? single ?? plain ?? "");
  if (argv.length === 0) throw new UsageError("--validate needs a command.");
  return argv;
}
