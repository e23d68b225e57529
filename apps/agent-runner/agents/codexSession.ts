import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TokenUsage } from "../../../shared/contracts/agentEvent.ts";
import { type CodexUsage, codexSessionLineSchema } from "./codexWire.ts";
import { noUsage } from "./tokenUsage.ts";

/** Where Codex keeps its sessions below HOME. */
export const codexSessions = ".codex/sessions";

/** What a session has come to: the tokens of all its runs, and the model that it used last. */
export type CodexSession = { total: TokenUsage; model: string | null };

/** Null where HOME holds no such session. */
export async function readCodexSession(home: string, id: string): Promise<CodexSession | null> {
  const names = await readdir(join(home, codexSessions), { recursive: true }).catch(() => []);
  const name = names.find((one) => one.endsWith(`-${id}.jsonl`));
  if (name === undefined) return null;
  const text = await readFile(join(home, codexSessions, name), "utf8").catch(() => "");
  const session: CodexSession = { total: noUsage, model: null };
  for (const line of text.split("\n")) {
    if (!/"(token_count|turn_context)"/.test(line)) continue;
    const known = codexSessionLineSchema.safeParse(parse(line));
    if (!known.success) continue;
    if (known.data.type === "turn_context") session.model = known.data.payload.model;
    else session.total = codexUsage(known.data.payload.info.total_token_usage);
  }
  return session;
}

/** Input includes what came from, or went to, the cache; output includes reasoning. It tells no price. */
export const codexUsage = (usage: CodexUsage): TokenUsage => ({
  inputTokens: usage.input_tokens,
  cachedInputTokens: usage.cached_input_tokens ?? 0,
  cacheWriteTokens: usage.cache_write_input_tokens ?? 0,
  outputTokens: usage.output_tokens,
  reasoningTokens: usage.reasoning_output_tokens ?? 0,
  costMicroUsd: null,
});

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
