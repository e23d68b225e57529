import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { keepRunning } from "../../scripts/local/keptProcess.ts";
import { workerAnswers } from "../../scripts/local/workerReady.ts";

/** A worker that is up and gives this answer. */
async function answering(status: number, body: object): Promise<string> {
  const server = createServer((_, answer) => answer.writeHead(status).end(JSON.stringify(body)));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("a worker that refuses its settings is not waited for: the start ends with what it says", async () => {
  const message = "This deployment's configuration is wrong: MAX_LIVE_EXECUTIONS must be a number.";
  const url = await answering(500, { error: { code: "internal", message } });
  const beganAt = performance.now();

  const starting = keepRunning({
    name: "worker",
    argv: ["sleep", "100"],
    cwd: "/",
    env: { PATH: process.env.PATH ?? "" },
    deploymentId: `test-${process.pid}`,
    stopSignal: "SIGTERM",
    isReady: () => workerAnswers(url),
    onRestart: () => {},
    onLine: () => {},
    cancelled: new AbortController().signal,
  });

  await expect(starting).rejects.toThrow(message);
  expect(performance.now() - beganAt).toBeLessThan(10_000);
});

it.each([
  [200, { ok: true }, true],
  [503, { ok: false, database: "unreachable" }, false],
  [500, { error: { code: "internal", message: "Something went wrong here." } }, false],
] as const)("a worker that answers %i may be ready in a moment: %o", async (status, body, is) => {
  expect(await workerAnswers(await answering(status, body))).toBe(is);
});
