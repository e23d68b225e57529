import { createServer } from "node:http";
import { Readable } from "node:stream";
import type { FakeRunner } from "./fakeRunner.ts";

/** Puts a fake runner on a port of this machine, for workers that reach it over HTTP. */
export async function serveRunner(
  runnerAt: (url: string) => FakeRunner,
): Promise<{ runner: FakeRunner; close(): void }> {
  const server = createServer(async (incoming, outgoing) => {
    const body =
      incoming.method === "GET"
        ? null
        : await new Response(Readable.toWeb(incoming) as ReadableStream).text();
    const headers = Object.entries(incoming.headers).map(
      ([name, value]) => [name, String(value)] as [string, string],
    );
    const request = new Request(`${runner.url}${incoming.url}`, {
      method: incoming.method ?? "GET",
      headers,
      ...(body === null ? {} : { body }),
    });
    const answer = await runner.fetch(request);
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const chunk of answer.body ?? []) outgoing.write(chunk);
    outgoing.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const runner = runnerAt(`http://127.0.0.1:${port}`);
  return {
    runner,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
