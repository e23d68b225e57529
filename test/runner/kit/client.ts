import { setTimeout as sleep } from "node:timers/promises";
import { type NumberedEvent, numberedEventSchema } from "../../../shared/contracts/agentEvent.ts";
import {
  type PatchResult,
  patchResultSchema,
  type RunResult,
  type RunStatus,
  runnerAnswer,
  runResultSchema,
  runStatusSchema,
} from "../../../shared/contracts/runner.ts";

export type Answer = { status: number; body: unknown };

/** A runner as a supervisor talks to it. */
export type Client = ReturnType<typeof createClient>;

export function createClient(url: string, token: string) {
  const call = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const answer = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await call(method, path, body);
    return { status: response.status, body: await response.json() };
  };
  const events = (path: string, after: number, waitMs: number) =>
    readEvents(call("GET", `${path}/events?after=${after}&waitMs=${waitMs}`));
  return {
    url,
    call,
    answer,
    events,
    /** Every event of a run, once it is finished. */
    finished: (path: string) => followToTheEnd(events, answer, path),
    put: async (path: string, body: unknown): Promise<RunStatus> =>
      unwrap(runnerAnswer(runStatusSchema), await answer("PUT", path, body)),
    cancel: async (path: string, reason = "cancel", fence = 1): Promise<RunStatus> =>
      unwrap(
        runnerAnswer(runStatusSchema),
        await answer("POST", `${path}/cancel`, { fence, reason }),
      ),
    runResult: async (path: string): Promise<RunResult> =>
      unwrap(runnerAnswer(runResultSchema), await answer("GET", `${path}/result`)),
    patchResult: async (path: string): Promise<PatchResult> =>
      unwrap(runnerAnswer(patchResultSchema), await answer("GET", `${path}/result`)),
  };
}

async function followToTheEnd(
  events: (path: string, after: number, waitMs: number) => AsyncIterable<NumberedEvent>,
  answer: (method: string, path: string) => Promise<Answer>,
  path: string,
): Promise<NumberedEvent[]> {
  const all: NumberedEvent[] = [];
  for (;;) {
    for await (const event of events(path, all.length, 60_000)) all.push(event);
    const { status, body } = await answer("GET", `${path}/result`);
    if (status !== 200) throw new Error(JSON.stringify(body));
    if ((body as { value: RunStatus }).value.state === "finished") return all;
    await sleep(5);
  }
}

async function* readEvents(calling: Promise<Response>): AsyncGenerator<NumberedEvent> {
  const response = await calling;
  if (response.status !== 200 || response.body === null) throw new Error(await response.text());
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield numberedEventSchema.parse(JSON.parse(line));
  }
}

type Parser<Value> = {
  parse(
    body: unknown,
  ): { ok: true; value: Value } | { ok: false; error: { code: string; message: string } };
};

function unwrap<Value>(schema: Parser<Value>, { body }: Answer): Value {
  const answer = schema.parse(body);
  if (answer.ok) return answer.value;
  throw new Error(`${answer.error.code}: ${answer.error.message}`);
}
