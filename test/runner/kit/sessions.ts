import { rm } from "node:fs/promises";
import { expect } from "vitest";
import type { Answer, Client } from "./client.ts";
import { openRunner, type RunnerChoice, type TestRunner, testToken } from "./runners.ts";

/** The archive of a finished run's session. */
export async function takeSession(client: Client, id: string): Promise<string> {
  const response = await client.call("GET", `/runs/${id}/session`);
  expect(response.status).toBe(200);
  return response.text();
}

export async function putSession(
  client: Client,
  id: string,
  archive: string,
  token = testToken,
): Promise<Answer> {
  const response = await fetch(`${client.url}/runs/${id}/session`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}` },
    body: archive,
  });
  return { status: response.status, body: await response.json() };
}

/** What a container is: the same places, and nothing of the one before. */
export async function anewInPlaceOf(
  { runner, state }: TestRunner,
  choice: RunnerChoice,
): Promise<TestRunner> {
  await runner.close();
  await rm(state, { recursive: true });
  return openRunner({ ...choice, state });
}

type Piece = { path: string; base64?: string } & Record<string, unknown>;

export const archiveOf = (pieces: readonly Piece[], head: Record<string, unknown> = {}): string =>
  [
    { format: "session/1", agent: "script", id: "5e55-10", executionId: "exec_1", ...head },
    ...pieces.map((piece) => ({ base64: "aGVsbG8=", ...piece })),
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join("");
