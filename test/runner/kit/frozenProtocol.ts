import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { projectFolder } from "./runners.ts";

/**
 * Exchanges as they once went over the wire between a worker and a runner, one file each. They are never recorded
 * anew: what was deployed then cannot be changed now. The repository lay at /repos/sample, its only commit is
 * written as forty times the letter b.
 */
export type Exchange = {
  request: { method: string; path: string; body?: Record<string, unknown> };
  answer: { status: number; body?: { ok: boolean; value?: unknown }; lines?: string[] };
};

export const frozenRepository = "/repos/sample";
export const frozenBase = "b".repeat(40);

const folder = join(projectFolder, "test/fixtures/protocol/runner-1");
export const exchangeNames = readdirSync(folder).map((file) => file.replace(/\.json$/, ""));

/** An exchange, with texts in it replaced by what they are today. */
export function frozen(name: string, today: Record<string, string> = {}): Exchange {
  const text = Object.entries(today).reduce(
    (sofar, [then, now]) => sofar.replaceAll(then, now),
    readFileSync(join(folder, `${name}.json`), "utf8"),
  );
  return JSON.parse(text) as Exchange;
}

/** A runner that gives the answers of these exchanges and can do nothing else. */
export async function serveFrozen(exchanges: readonly Exchange[]): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    const found = exchanges.find(
      ({ request: { method, path } }) => method === request.method && path === request.url,
    );
    const { status, body, lines } = found?.answer ?? { status: 500, body: { ok: false } };
    response.writeHead(status);
    response.end(lines === undefined ? JSON.stringify(body) : `${lines.join("\n")}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
