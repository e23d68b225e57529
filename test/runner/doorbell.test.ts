import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { finishPatch, newFile, patchRequest, setOf } from "./kit/patchRuns.ts";
import { until } from "./kit/processes.ts";
import { makeRepository } from "./kit/repositories.ts";
import { openRunner } from "./kit/runners.ts";
import { runScript } from "./kit/scriptAgent.ts";

const token = "token-of-the-bell";

/** A bell that answers so many times with a failure first. */
async function hangBell(failures = 0) {
  const rings: unknown[] = [];
  const bell = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    rings.push(JSON.parse(body));
    response.writeHead(rings.length <= failures ? 503 : 204).end();
  });
  await new Promise<void>((resolve) => bell.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void bell.close());
  const { port } = bell.address() as AddressInfo;
  return { rings, doorbell: { url: `http://127.0.0.1:${port}/bell`, token } };
}

const repository = () => makeRepository({ "a.txt": "one\n" });

describe("a doorbell", () => {
  it("rings when the report of a run can be read, and its token is kept secret", async () => {
    const { rings, doorbell } = await hangBell();

    const { report } = await runScript(repository(), `say("${token}"); succeed();`, { doorbell });
    await until(() => rings.length > 0);

    expect(rings).toEqual([{ executionId: "exec_1", token }]);
    expect(report.terminal?.text).toBe("[secret:DOORBELL_TOKEN]");
  });

  it("rings when a tree is made and when it is validated", async () => {
    const { rings, doorbell } = await hangBell();
    const source = repository();
    const opened = await openRunner({ role: "patches", repositories: [source] });
    const set = setOf(source, { "b.txt": newFile("x") });
    const validation = { commands: [{ name: "waits", argv: ["sleep", "0.2"], timeoutMs: 9000 }] };

    await finishPatch(opened, patchRequest(source, set, { doorbell, validation }));
    await until(() => rings.length > 1);

    expect(rings).toEqual(Array(2).fill({ patchSetId: "ps_1", token }));
  });

  it("rings again where it was not answered well", async () => {
    const { rings, doorbell } = await hangBell(1);

    await runScript(repository(), `succeed();`, { doorbell });

    await until(() => rings.length === 2);
  });

  it("that nobody hears changes nothing", async () => {
    const doorbell = { url: "http://127.0.0.1:9/", token };

    const { report } = await runScript(repository(), `succeed();`, { doorbell });

    expect(report.fault).toBe(null);
  });
});
