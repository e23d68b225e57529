import { z } from "zod";
import { runnerAnswer } from "../../../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../../../shared/errors.ts";
import type { Secret } from "../../../domain/ports/secrets.ts";
import { withDeadline } from "./deadline.ts";

export type RunnerAddress = {
  url: string;
  token: Secret;
  /** Another way there than the network. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
};

const requestTimeoutMs = 15_000;
const maxAnswerBytes = 32 * 1024 * 1024;

/** One JSON exchange with a runner. The answer is a Result; its error comes out as a SwitchyardError. */
export async function ask<T extends z.ZodType>(
  address: RunnerAddress,
  method: "GET" | "PUT" | "POST",
  path: string,
  answer: T,
  options: { body?: unknown; timeoutMs?: number; headers?: Record<string, string> } = {},
): Promise<z.infer<T>> {
  return withDeadline(options.timeoutMs ?? requestTimeoutMs, undefined, async (signal) => {
    const response = await send(address, method, path, signal, options);
    const text = await readText(response, maxAnswerBytes);
    return unwrap(path, response.status, text, answer);
  });
}

/** The error of a stream that was refused before it began. */
export async function refusal(path: string, response: Response): Promise<SwitchyardError> {
  const text = await readText(response, 64 * 1024);
  try {
    unwrap(path, response.status, text, z.never());
  } catch (error) {
    if (error instanceof SwitchyardError) return error;
  }
  return garbage(path, response.status, text);
}

export function unwrap<T extends z.ZodType>(path: string, status: number, text: string, answer: T) {
  const parsed = runnerAnswer(answer).safeParse(parseJson(text));
  if (!parsed.success) throw garbage(path, status, text);
  const result = parsed.data as
    | { ok: true; value: z.infer<T> }
    | { ok: false; error: { code: SwitchyardError["code"]; message: string } };
  if (result.ok) return result.value;
  throw new SwitchyardError(result.error.code, result.error.message, { context: { path } });
}

/** Sends a request; every failure to get an answer at all is `runner_unreachable`. */
export async function send(
  { url, token, fetch: reach = fetch }: RunnerAddress,
  method: string,
  path: string,
  signal: AbortSignal,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Response> {
  try {
    return await reach(`${url}${path}`, {
      method,
      redirect: "manual",
      signal,
      headers: {
        ...headers,
        authorization: `Bearer ${token.reveal()}`,
        ...(body === undefined ? {} : { "content-type": typeOf(body) }),
      },
      ...(body === undefined ? {} : { body: isStream(body) ? body : JSON.stringify(body) }),
    });
  } catch (cause) {
    throw unreachable(cause);
  }
}

const isStream = (body: unknown): body is ReadableStream => body instanceof ReadableStream;

const typeOf = (body: unknown): string =>
  isStream(body) ? "application/octet-stream" : "application/json";

export const unreachable = (cause: unknown): SwitchyardError =>
  new SwitchyardError("runner_unreachable", "The runner cannot be reached.", { cause });

const garbage = (path: string, status: number, text: string): SwitchyardError =>
  new SwitchyardError(
    "runner_protocol_error",
    `The runner answered something that is not runner/1 (status ${status}).`,
    { context: { path, status, excerpt: text.slice(0, 200) } },
  );

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readText(response: Response, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > limit) throw tooLarge();
    }
    return text + decoder.decode();
  } catch (error) {
    throw error instanceof SwitchyardError ? error : unreachable(error);
  }
}

const tooLarge = (): SwitchyardError =>
  new SwitchyardError("runner_protocol_error", "The runner's answer is too large.");
