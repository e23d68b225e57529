import type { AgentEvent } from "../../shared/contracts/agentEvent.ts";
import type { ProviderStatus } from "../../shared/contracts/provider.ts";
import type { TaskDetail, TaskView } from "../../shared/contracts/task.ts";

/** A small client of the HTTP interface, as anybody would write one. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.code = code;
  }
}

export type StreamedEvent = { id: string; atMs: number; event: AgentEvent };

export type Client = ReturnType<typeof createClient>;

export function createClient(url: string, token: string) {
  const authorization = `Bearer ${token}`;

  async function call<T>(method: string, at: string, body?: unknown, headers = {}): Promise<T> {
    const response = await fetch(`${url}/api/v1${at}`, {
      method,
      headers: { authorization, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { error?: { code: string; message: string } };
    if (answer.error !== undefined) throw new ApiError(answer.error.code, answer.error.message);
    return answer as T;
  }

  return {
    providers: () => call<{ providers: ProviderStatus[] }>("GET", "/providers"),
    putProvider: (name: string, config: object) => call("PUT", `/providers/${name}`, config),
    createProject: (project: object) => call<{ id: string }>("POST", "/projects", project),
    createTask: (task: object, key: string) =>
      call<TaskView>("POST", "/tasks", task, { "idempotency-key": key }),
    task: (id: string) => call<TaskDetail>("GET", `/tasks/${id}`),
    cancel: (id: string) => call<TaskView>("POST", `/tasks/${id}/cancel`),
    events: (id: string) => followEvents(`${url}/api/v1/tasks/${id}/events`, authorization),
  };
}

const reconnectMs = 500;

/** Yields every event of a task once, in order, over however many connections it takes. */
async function* followEvents(url: string, authorization: string): AsyncGenerator<StreamedEvent> {
  let lastId = "0-0";
  for (;;) {
    try {
      for await (const frame of readFrames(url, authorization, lastId)) {
        if (frame.event === "end") return;
        lastId = frame.id;
        const { atMs, ...event } = JSON.parse(frame.data) as AgentEvent & { atMs: number };
        yield { id: frame.id, atMs, event };
      }
    } catch (error) {
      if (error instanceof ApiError) throw error;
      // The connection broke: the next one goes on behind the last id.
    }
    await new Promise((resolve) => setTimeout(resolve, reconnectMs));
  }
}

type Frame = { id: string; event: string; data: string };

async function* readFrames(
  url: string,
  authorization: string,
  lastId: string,
): AsyncGenerator<Frame> {
  const response = await fetch(url, { headers: { authorization, "last-event-id": lastId } });
  if (response.status >= 400 && response.status < 500) {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    throw new ApiError(error.code, error.message);
  }
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    yield* blocks.map(parseFrame).filter((frame) => frame !== null);
  }
}

/** A comment, which only keeps the connection alive, is no frame. */
function parseFrame(block: string): Frame | null {
  const fields = new Map(
    block.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trimStart()] as const;
    }),
  );
  const event = fields.get("event");
  if (event === undefined) return null;
  return { id: fields.get("id") ?? "", event, data: fields.get("data") ?? "{}" };
}
