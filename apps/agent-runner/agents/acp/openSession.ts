import type { AgentEvent } from "../../../../shared/contracts/agentEvent.ts";
import type { AgentRequest } from "../agentAdapter.ts";
import type { Failure } from "../failureText.ts";
import type { AcpAgent } from "./acpConfig.ts";
import { failureOfError } from "./acpFailures.ts";
import {
  type Initialized,
  initializedSchema,
  type Opened,
  openedSchema,
  protocolVersion,
} from "./acpWire.ts";
import type { RpcAnswer } from "./jsonRpc.ts";

export type OpenedSession =
  | { kind: "open"; sessionId: string; isResumed: boolean; events: AgentEvent[] }
  | { kind: "failed"; failure: Failure; reason: string }
  /** The run ends, or the agent is gone: there is nothing to add. */
  | { kind: "over" };

/** `late` where the agent did not answer within its time to start. */
export type Asked = RpcAnswer | { kind: "late" };

export type Opening = {
  config: AcpAgent;
  request: AgentRequest;
  workspace: string;
  ask(method: string, params: object): Promise<Asked>;
  /** What the agent tells from here on is of an earlier run, until `historyTold`. */
  historyBegins(): void;
  /** Settles when nothing more of it comes. */
  historyTold(): Promise<void>;
};

type Step<Value> = { kind: "done"; value: Value } | Exclude<OpenedSession, { kind: "open" }>;

/** From the first word to a session that a prompt can be sent to. */
export async function openSession(opening: Opening): Promise<OpenedSession> {
  const { config, request } = opening;
  const begun = await initialize(opening);
  if (begun.kind !== "done") return begun;
  if (config.authMethod !== undefined) {
    const known = await call(opening, "authenticate", { methodId: config.authMethod });
    if (known.kind !== "done") return known;
  }
  const session = await beginOrResume(opening, begun.value);
  if (session.kind !== "done") return session;
  const { sessionId, isResumed, opened, notes } = session.value;
  const settled = await settle(opening, sessionId, opened);
  if (settled.kind !== "done") return settled;
  const init: AgentEvent = {
    type: "init",
    sessionId,
    model: settled.value ?? opened.models?.currentModelId ?? request.model ?? null,
    cwd: opening.workspace,
  };
  const agent = JSON.stringify(begun.value.agentInfo ?? {});
  const told: AgentEvent = { type: "raw", sourceType: "acp/agent", text: agent };
  return { kind: "open", sessionId, isResumed, events: [told, ...notes, init] };
}

async function call(
  { config, ask }: Opening,
  method: string,
  params: object,
): Promise<Step<unknown>> {
  const answer = await ask(method, params);
  switch (answer.kind) {
    case "result":
      return { kind: "done", value: answer.result };
    case "error":
      return { kind: "failed", failure: failureOfError(config, answer), reason: method };
    case "late":
      return failed(method, "timeout", `The agent did not answer ${method} in time.`);
    case "closed":
      return { kind: "over" };
  }
}

const failed = (reason: string, kind: Failure["kind"], message: string) => ({
  kind: "failed" as const,
  failure: { kind, status: null, message },
  reason,
});

async function initialize(opening: Opening): Promise<Step<Initialized>> {
  const answer = await call(opening, "initialize", {
    protocolVersion,
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
    clientInfo: { name: "switchyard", title: "Switchyard", version: "1" },
  });
  if (answer.kind !== "done") return answer;
  const known = initializedSchema.safeParse(answer.value);
  if (known.success && known.data.protocolVersion === protocolVersion)
    return { kind: "done", value: known.data };
  const spoken = known.data?.protocolVersion ?? "no version";
  return failed(
    "initialize",
    "invalid_request",
    `The agent speaks ${spoken} of the Agent Client Protocol, not ${protocolVersion}.`,
  );
}

type Begun = { sessionId: string; isResumed: boolean; opened: Opened; notes: AgentEvent[] };

async function beginOrResume(opening: Opening, agent: Initialized): Promise<Step<Begun>> {
  const { config, request } = opening;
  if (request.session.kind === "new" || config.resume === "never") return begin(opening, []);
  const { id } = request.session;
  const resumed = await resume(opening, agent, id);
  const isLost = resumed.kind === "failed" && resumed.failure.kind !== "auth";
  if (!isLost) return resumed;
  const message = `The session ${id} is lost: ${resumed.failure.message}`;
  if (config.resume === "auto") return failed(resumed.reason, "invalid_request", message);
  const failure = { kind: "invalid_request", status: null, message } as const;
  return begin(opening, [{ type: "error", ...failure, fatal: false }]);
}

async function begin(opening: Opening, notes: AgentEvent[]): Promise<Step<Begun>> {
  const { config, workspace } = opening;
  const answer = await call(opening, "session/new", {
    cwd: workspace,
    mcpServers: [],
    ...(config.sessionMeta === undefined ? {} : { _meta: config.sessionMeta }),
  });
  if (answer.kind !== "done") return answer;
  const opened = openedSchema.safeParse(answer.value);
  const sessionId = opened.data?.sessionId;
  if (!opened.success || sessionId == null)
    return failed("session/new", "unknown", "The agent began a session without an id.");
  return { kind: "done", value: { sessionId, isResumed: false, opened: opened.data, notes } };
}

async function resume(opening: Opening, agent: Initialized, id: string): Promise<Step<Begun>> {
  const can = agent.agentCapabilities;
  const canResume = can?.sessionCapabilities?.resume != null;
  const method = canResume ? "session/resume" : can?.loadSession ? "session/load" : null;
  if (method === null) return failed("resume", "invalid_request", "the agent resumes none");
  const params = { sessionId: id, cwd: opening.workspace, mcpServers: [] };
  opening.historyBegins();
  const answer = await call(opening, method, params);
  await opening.historyTold();
  if (answer.kind !== "done") return answer;
  const opened = openedSchema.catch({ sessionId: id }).parse(answer.value ?? {});
  return { kind: "done", value: { sessionId: id, isResumed: true, opened, notes: [] } };
}

/** Sets mode, model and options; what is configured and not offered ends the run. Answers with the model. */
async function settle(
  opening: Opening,
  sessionId: string,
  opened: Opened,
): Promise<Step<string | null>> {
  const { config, request } = opening;
  const model = modelWish(sessionId, opened, request.model);
  const wishes = [
    ...(config.mode === undefined ? [] : [modeWish(sessionId, opened, config.mode)]),
    ...Object.entries(config.configOptions).map(([id, value]) =>
      optionWish(sessionId, opened, id, value),
    ),
    ...(model === null ? [] : [model]),
  ];
  for (const wish of wishes) {
    if ("missing" in wish) return failed("settings", "invalid_request", wish.missing);
    const answer = await call(opening, wish.method, wish.params);
    if (answer.kind !== "done") return answer;
  }
  return { kind: "done", value: model === null ? null : (request.model ?? null) };
}

type Wish = { method: string; params: object };
type OfferedWish = Wish | { missing: string };

const setOption = (sessionId: string, configId: string, value: string | boolean): Wish => ({
  method: "session/set_config_option",
  params: { sessionId, configId, value },
});

function modeWish(sessionId: string, opened: Opened, mode: string): OfferedWish {
  if (opened.modes?.availableModes.some(({ id }) => id === mode))
    return { method: "session/set_mode", params: { sessionId, modeId: mode } };
  const option = opened.configOptions?.find(({ category }) => category === "mode");
  if (option?.options?.some(({ value }) => value === mode))
    return setOption(sessionId, option.id, mode);
  return { missing: `The agent offers no mode ${mode}.` };
}

const optionWish = (
  sessionId: string,
  opened: Opened,
  id: string,
  value: string | boolean,
): OfferedWish =>
  opened.configOptions?.some((option) => option.id === id)
    ? setOption(sessionId, id, value)
    : { missing: `The agent offers no option ${id}.` };

/** Where the agent does not offer the model that is asked for, its argv or environment is to name it. */
function modelWish(sessionId: string, opened: Opened, model: string | undefined): Wish | null {
  if (model === undefined) return null;
  const option = opened.configOptions?.find(({ category }) => category === "model");
  if (option?.options?.some(({ value }) => value === model))
    return setOption(sessionId, option.id, model);
  if (opened.models?.availableModels.some(({ modelId }) => modelId === model))
    return { method: "session/set_model", params: { sessionId, modelId: model } };
  return null;
}
