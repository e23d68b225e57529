import { expect } from "vitest";

export type Envelope = {
  error: { code: string; message: string; requestId: string; details?: unknown };
};

/** Status and code of a failure, which must be in the one envelope. */
export async function codeOf(response: Response): Promise<string> {
  const { error } = await response.json<Envelope>();
  expect(error.message.length).toBeGreaterThan(10);
  expect(error.requestId).toBe(response.headers.get("x-request-id"));
  return `${response.status} ${error.code}`;
}
