import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runnerAnswer, runnerHealthSchema } from "../../shared/contracts/runner.ts";
import { errorTable } from "../../shared/errors.ts";
import { makeRepository } from "./kit/repositories.ts";
import { openRunner, testToken } from "./kit/runners.ts";
import { runRequest, said, scriptRegistry, scriptRun, waitForEvent } from "./kit/scriptAgent.ts";

const open = async () => {
  const repository = makeRepository({ "a.txt": "one\n" });
  const opened = await openRunner({ repositories: [repository], registry: scriptRegistry });
  return { ...opened, repository };
};

describe("every answer", () => {
  const limits = { wallClockMs: 1000, silenceMs: 1000, maxPatchBytes: 10 };
  const good = runRequest("/nowhere");

  it.each<[string, string, string, unknown, keyof typeof errorTable]>([
    ["an unknown route", "GET", "/nowhere", undefined, "route_not_found"],
    ["a route of the other role", "PUT", "/patches/ps_1", {}, "route_not_found"],
    ["a wrong method", "DELETE", "/runs/exec_1", undefined, "method_not_allowed"],
    ["an unknown run's result", "GET", "/runs/exec_9/result", undefined, "run_not_found"],
    ["an unknown run's events", "GET", "/runs/exec_9/events", undefined, "run_not_found"],
    [
      "an unknown run's cancel",
      "POST",
      "/runs/exec_9/cancel",
      { fence: 1, reason: "cancel" },
      "run_not_found",
    ],
    [
      "an unknown protocol",
      "PUT",
      "/runs/exec_1",
      { protocol: "runner/9" },
      "protocol_unsupported",
    ],
    ["a missing field", "PUT", "/runs/exec_1", { ...good, taskId: undefined }, "invalid_request"],
    ["an unknown field", "PUT", "/runs/exec_1", { ...good, extra: 1 }, "invalid_request"],
    ["no prompt", "PUT", "/runs/exec_1", { ...good, prompt: undefined }, "prompt_required"],
    ["a blank prompt", "PUT", "/runs/exec_1", { ...good, prompt: " \n" }, "prompt_required"],
    [
      "a time limit of nothing",
      "PUT",
      "/runs/exec_1",
      { ...good, limits: { ...limits, silenceMs: 0 } },
      "invalid_timeout",
    ],
    [
      "a time limit beyond a day",
      "PUT",
      "/runs/exec_1",
      { ...good, limits: { ...limits, wallClockMs: 86_400_001 } },
      "invalid_timeout",
    ],
    [
      "a secret by a reserved name",
      "PUT",
      "/runs/exec_1",
      { ...good, secrets: { LD_PRELOAD: "x" } },
      "invalid_request",
    ],
    ["an unknown agent", "PUT", "/runs/exec_1", { ...good, agent: "hal" }, "unknown_provider"],
    ["an id that is a path", "PUT", "/runs/..%2F..%2Fetc", good, "invalid_request"],
    [
      "a cursor that is no number",
      "GET",
      "/runs/exec_1/events?after=x",
      undefined,
      "invalid_request",
    ],
  ])("to %s is an envelope with the status of its code", async (_, method, path, body, code) => {
    const { client } = await open();

    const answer = await client.answer(method, path, body);

    expect(answer.body).toMatchObject({ ok: false, error: { code } });
    expect(answer.status).toBe(errorTable[code].http);
  });

  it("to malformed JSON, and to a body that is too large, is an envelope too", async () => {
    const { client } = await open();
    const put = (body: string | ReadableStream) =>
      fetch(`${client.url}/runs/exec_1`, {
        method: "PUT",
        headers: { authorization: `Bearer ${testToken}` },
        body,
        duplex: "half",
      });

    const malformed = await put("{");
    const large = await put("x".repeat(8 * 1024 * 1024 + 1));
    const endless = await put(new Blob([new Uint8Array(9_000_000)]).stream());

    expect([malformed.status, await malformed.json()]).toMatchObject([
      400,
      { error: { code: "malformed_json" } },
    ]);
    for (const response of [large, endless])
      expect([response.status, await response.json()]).toMatchObject([
        413,
        { error: { code: "body_too_large" } },
      ]);
  });

  it.each([undefined, "Bearer wrong", `Basic ${testToken}`, testToken])(
    "without the token is a refusal: %s",
    async (authorization) => {
      const { client } = await open();

      const response = await fetch(`${client.url}/health`, {
        headers: authorization === undefined ? {} : { authorization },
      });

      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({
        ok: false,
        error: { code: "unauthenticated" },
      });
    },
  );

  it("never quotes the value of a secret", async () => {
    const { client } = await open();
    const secrets = { "bad name": "value-of-the-secret" };

    const { body } = await client.answer("PUT", "/runs/exec_1", { ...good, secrets });

    expect(JSON.stringify(body)).not.toContain("value-of-the-secret");
  });
});

describe("the health of a runner", () => {
  it("tells its protocols, its role and what it can start", async () => {
    const { client } = await open();

    const { body } = await client.answer("GET", "/health");

    expect(runnerAnswer(runnerHealthSchema).parse(body)).toEqual({
      ok: true,
      value: {
        protocols: ["runner/1"],
        role: "agents",
        agents: { script: { version: "1.0.0" } },
        live: null,
        boot: expect.any(String),
      },
    });
  });
});

describe("to start a run", () => {
  it("again by the same id gives the same run, whatever became of it", async () => {
    const { client, repository } = await open();
    const request = scriptRun(repository, `succeed();`);

    const [first, second] = await Promise.all([
      client.put("/runs/exec_1", request),
      client.put("/runs/exec_1", request),
    ]);
    const events = await client.finished("/runs/exec_1");
    const third = await client.put("/runs/exec_1", request);

    expect([first, second]).toMatchObject([{ state: "live" }, { state: "live" }]);
    expect(third).toEqual({ id: "exec_1", fence: 1, state: "finished", lastEvent: events.length });
  });

  it("with a fence below the known one comes too late", async () => {
    const { client, repository } = await open();
    await client.put("/runs/exec_1", scriptRun(repository, `await forever();`, { fence: 3 }));

    const put = await client.answer("PUT", "/runs/exec_1", scriptRun(repository, `succeed();`));
    const cancel = await client.answer("POST", "/runs/exec_1/cancel", {
      fence: 2,
      reason: "cancel",
    });

    expect([put.body, cancel.body]).toMatchObject([
      { error: { code: "stale_fence" } },
      { error: { code: "stale_fence" } },
    ]);
  });

  it("while another is live is refused, and then is not", async () => {
    const { client, repository } = await open();
    await client.put("/runs/exec_1", scriptRun(repository, `await forever();`));

    const refused = await client.answer("PUT", "/runs/exec_2", scriptRun(repository, `succeed();`));
    const { body } = await client.answer("GET", "/health");
    await client.cancel("/runs/exec_1");
    await client.finished("/runs/exec_1");
    const accepted = await client.put("/runs/exec_2", scriptRun(repository, `succeed();`));

    expect(refused).toMatchObject({ status: 409, body: { error: { code: "busy" } } });
    expect(body).toMatchObject({ value: { live: "exec_1" } });
    expect(accepted).toMatchObject({ id: "exec_2", state: "live" });
  });
});

describe("the events of a run", () => {
  const numbers = async (events: AsyncIterable<{ number: number }>) => {
    const all: number[] = [];
    for await (const { number } of events) all.push(number);
    return all;
  };

  it("begin after the cursor and have no gap", async () => {
    const { client, repository } = await open();
    await client.put("/runs/exec_1", scriptRun(repository, `say("a"); say("b"); succeed();`));
    const all = (await client.finished("/runs/exec_1")).map(({ number }) => number);

    expect(all).toEqual(all.map((_, index) => index + 1));
    expect(await numbers(client.events("/runs/exec_1", 3, 60_000))).toEqual(all.slice(3));
    expect(await numbers(client.events("/runs/exec_1", 999, 60_000))).toEqual([]);
  });

  it("that are there come at once, and the time to wait for more is kept", async () => {
    const { client, repository } = await open();
    await client.put("/runs/exec_1", scriptRun(repository, `say("a"); await forever();`));
    await waitForEvent({ client }, "/runs/exec_1", said("a"));

    const startedAt = performance.now();
    const atOnce = await numbers(client.events("/runs/exec_1", 0, 0));
    const between = performance.now();
    const waited = await numbers(client.events("/runs/exec_1", 3, 300));

    expect(atOnce).toEqual([1, 2, 3]);
    expect(between - startedAt).toBeLessThan(5000);
    expect(waited).toEqual([]);
    expect(performance.now() - between).toBeGreaterThan(280);
  });

  it("are the same for every reader, and the same as on the disk", async () => {
    const { client, repository, state } = await open();
    const script = `for (let n = 0; n < 3000; n += 1) say("message " + n + "x".repeat(300)); succeed();`;
    await client.put("/runs/exec_1", scriptRun(repository, script));

    const [one, other] = await Promise.all([
      client.finished("/runs/exec_1"),
      client.finished("/runs/exec_1"),
    ]);

    const lines = readFileSync(join(state, "runs/exec_1/events.ndjson"), "utf8")
      .trimEnd()
      .split("\n");
    expect(one).toEqual(lines.map((line) => JSON.parse(line)));
    expect(other).toEqual(one);
  });

  it("do not wait for a reader that takes nothing", async () => {
    const { client, repository } = await open();
    const script = `for (let n = 0; n < 20000; n += 1) say("x".repeat(1000)); succeed();`;
    await client.put("/runs/exec_1", scriptRun(repository, script));

    const slow = await client.call("GET", "/runs/exec_1/events?after=0&waitMs=60000");
    const events = await client.finished("/runs/exec_1");
    await slow.body?.cancel();

    expect(events.length).toBeGreaterThan(20_000);
  });
});

describe("a cancel", () => {
  it("of a finished run changes nothing", async () => {
    const { client, repository } = await open();
    await client.put("/runs/exec_1", scriptRun(repository, `succeed();`));
    await client.finished("/runs/exec_1");
    const before = await client.runResult("/runs/exec_1");

    const status = await client.cancel("/runs/exec_1");

    expect(status.state).toBe("finished");
    expect(await client.runResult("/runs/exec_1")).toEqual(before);
  });
});
