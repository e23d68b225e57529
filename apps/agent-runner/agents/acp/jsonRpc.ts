import { z } from "zod";
import type { AgentEvent } from "../../../../shared/contracts/agentEvent.ts";

/** What came of a request. `closed`: the other side is gone or its output has ended. */
export type RpcAnswer =
  | { kind: "result"; result: unknown }
  | { kind: "error"; code: number; message: string; data?: unknown }
  | { kind: "closed" };

export type RpcHandlers = {
  notified(method: string, params: unknown, text: string): AgentEvent[];
  /** Null: this side has no such method. */
  asked(method: string, params: unknown): { result: unknown; events: AgentEvent[] } | null;
};

/** JSON-RPC 2.0, one message a line, in both directions. Never throws for what the other side sends. */
export type RpcPeer = {
  request(method: string, params: object): Promise<RpcAnswer>;
  notify(method: string, params: object): void;
  receive(value: Record<string, unknown>, text: string): AgentEvent[];
  close(): void;
};

const idSchema = z.union([z.string(), z.number()]);
const answerSchema = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z
    .object({
      code: z.number().catch(0),
      message: z.string().catch("no message"),
      data: z.unknown().optional(),
    })
    .nullish(),
});
const callSchema = z.object({
  id: idSchema.nullish(),
  method: z.string(),
  params: z.unknown().optional(),
});

const methodNotFound = -32601;

export function createRpcPeer(write: (text: string) => void, handlers: RpcHandlers): RpcPeer {
  const pending = new Map<number, (answer: RpcAnswer) => void>();
  let nextId = 0;
  let isClosed = false;
  const send = (message: object) => write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

  return {
    request: (method, params) =>
      new Promise((settle) => {
        if (isClosed) return settle({ kind: "closed" });
        const id = nextId;
        nextId += 1;
        pending.set(id, settle);
        send({ id, method, params });
      }),
    notify: (method, params) => send({ method, params }),
    receive: (value, text) => {
      const call = callSchema.safeParse(value);
      if (call.success) return serve(call.data, text);
      const answer = answerSchema.safeParse(value);
      const settle = answer.success ? pending.get(answer.data.id) : undefined;
      if (!answer.success || settle === undefined) return [unknownMessage(text)];
      pending.delete(answer.data.id);
      settle(answerOf(answer.data));
      return [];
    },
    close: () => {
      isClosed = true;
      for (const settle of pending.values()) settle({ kind: "closed" });
      pending.clear();
    },
  };

  function serve({ id, method, params }: z.infer<typeof callSchema>, text: string): AgentEvent[] {
    if (id == null) return handlers.notified(method, params, text);
    const served = handlers.asked(method, params);
    if (served === null) {
      const error = { code: methodNotFound, message: `Method not found: ${method}` };
      send({ id, error });
      return [{ type: "raw", sourceType: `acp/${method}`, text }];
    }
    send({ id, result: served.result });
    return served.events;
  }
}

const answerOf = ({ error, result }: z.infer<typeof answerSchema>): RpcAnswer =>
  error == null ? { kind: "result", result } : { kind: "error", ...error };

const unknownMessage = (text: string): AgentEvent => ({
  type: "raw",
  sourceType: "acp/unknown",
  text,
});
