import type { Tap } from "./recordTalk.ts";

type Message = {
  id?: number | string;
  method?: string;
  params?: { update?: { sessionUpdate?: string } };
  error?: unknown;
};

/** Overhears an agent that speaks the Agent Client Protocol: its requests, notifications and answers. */
export function acpTap(): Tap {
  const lines: string[] = [];
  const asked = new Map<number | string, string>();
  const typeOf = ({ id, method, params, error }: Message): string => {
    if (method !== undefined)
      return [method, params?.update?.sessionUpdate].filter((part) => part !== undefined).join("/");
    return `${error === undefined ? "answer" : "error"} to ${asked.get(id ?? "") ?? "nothing"}`;
  };
  return {
    sent(text) {
      const { id, method } = parse(text) ?? {};
      if (id !== undefined && method !== undefined) asked.set(id, method);
    },
    async heard(text) {
      const message = parse(text);
      lines.push(message === null ? text : JSON.stringify({ type: typeOf(message), ...message }));
      return text;
    },
    lines: () => lines,
    close: async () => {},
  };
}

function parse(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}
