import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createWholeOutput } from "../../apps/agent-runner/patch-run/wholeOutput.ts";
import { createRedactor } from "../../apps/agent-runner/redact.ts";
import { largestOutputBytes } from "../../shared/contracts/runner.ts";
import { finishPatch, newFile, patchRequest, setOf } from "./kit/patchRuns.ts";
import { makeRepository, temporaryFolder } from "./kit/repositories.ts";
import { openRunner, testToken } from "./kit/runners.ts";
import { waitForEvent } from "./kit/scriptAgent.ts";

const validating = async (...scripts: string[]) => {
  const repository = makeRepository({ "a.txt": "one\n" });
  const opened = await openRunner({ role: "patches", repositories: [repository] });
  const set = setOf(repository, { "b.txt": newFile("two\n") });
  const commands = scripts.map((script, at) => ({
    name: `command ${at}`,
    argv: ["node", "-e", script, testToken],
    timeoutMs: 60_000,
  }));
  return { ...opened, request: patchRequest(repository, set, { validation: { commands } }) };
};

type Opened = Awaited<ReturnType<typeof validating>>;

const verdictsOf = async (opened: Opened) => {
  const { report } = await finishPatch(opened, opened.request);
  return report.kind === "applied" ? report.validation.commands : expect.fail(report.kind);
};

const outputOf = async ({ client }: Opened, command: number) => {
  const response = await client.call("GET", `/patches/ps_1/output?command=${command}`);
  return { status: response.status, type: response.headers.get("content-type"), response };
};

/** Writes of both outputs, each one seen before the next. */
const turns = `const { writeSync } = require("fs");
  const say = (fd, text) => { for (let at = 0; at < text.length; ) at += writeSync(fd, text.slice(at)); };`;

describe("the whole output of a command", () => {
  it("has both of its outputs as they came, masked, also what came in two pieces", async () => {
    const script = `${turns}
      const token = process.argv[1], pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      say(1, "first " + "x".repeat(9000) + "\\n"); pause(); say(2, "second\\n"); pause(); say(1, "third " + token.slice(0, 9));
      pause(); say(1, token.slice(9) + "\\n");`;
    const opened = await validating(script, "0");

    const [verdict, quiet] = await verdictsOf(opened);
    const kept = await outputOf(opened, 0);
    const text = await kept.response.text();

    const masked = "[secret:RUNNER_TOKEN]";
    expect(text).toBe(`first ${"x".repeat(9000)}\nsecond\nthird ${masked}\n`);
    expect(kept).toMatchObject({ status: 200, type: "text/plain; charset=utf-8" });
    expect(verdict?.output).toEqual({ bytes: text.length, cut: false });
    expect(text.endsWith(verdict?.tail ?? "?")).toBe(true);
    expect(quiet).toMatchObject({ tail: "" });
    expect(quiet).not.toHaveProperty("output");
    expect((await outputOf(opened, 1)).status).toBe(404);
  });

  it("is cut where it would be too much, which its end says; the tail goes on", async () => {
    const opened = await validating(`${turns}
      const line = "a line of a flood ".repeat(64 * 1024) + "\\n";
      for (let n = 0; n < 20; n += 1) say(1, line);
      say(1, "the end");`);

    const [verdict] = await verdictsOf(opened);

    expect(verdict?.output?.cut).toBe(true);
    expect(verdict?.tail.endsWith("the end")).toBe(true);
    const text = await (await outputOf(opened, 0)).response.text();
    expect(text.length).toBe(verdict?.output?.bytes);
    expect(text.length).toBeLessThanOrEqual(largestOutputBytes);
    expect(text.length).toBeGreaterThan(largestOutputBytes - 1_000);
    expect(text.slice(-200)).toContain("[cut: the command printed more than is kept");
  });

  it("is not there while the commands run", async () => {
    const opened = await validating(
      `${turns} say(1, "x".repeat(9000)); setInterval(() => {}, 1000)`,
    );
    await opened.client.put("/patches/ps_1", opened.request);
    await waitForEvent(opened, "/patches/ps_1", ({ type }) => type === "command_output");

    expect((await outputOf(opened, 0)).status).toBe(409);
    await opened.client.cancel("/patches/ps_1");
    await opened.client.finished("/patches/ps_1");
  });
});

describe("what is kept of an output", () => {
  const write = async (maxBytes: number, ...texts: string[]) => {
    const file = join(temporaryFolder("output"), "deeper", "0.txt");
    const whole = createWholeOutput(file, { smallBytes: 8, maxBytes }, createRedactor());
    await Promise.all(texts.map((text) => whole.push(text)));
    return { kept: await whole.end(), read: () => readFileSync(file, "utf8") };
  };

  it("needs no file while it is small", async () => {
    const { kept, read } = await write(1_000, "four", "", "more");
    expect(kept).toEqual({ kind: "small", text: "fourmore" });
    expect(read).toThrow("ENOENT");
  });

  it("keeps what came before it was too much for no file", async () => {
    const { kept, read } = await write(1_000, "four", "more", "!");
    expect(kept).toEqual({ kind: "kept", bytes: 9, cut: false });
    expect(read()).toBe("fourmore!");
  });

  it("holds no secret that is made of the end of one output and of the other", async () => {
    const file = join(temporaryFolder("output"), "0.txt");
    const redactor = createRedactor({ KEY: "a-key-of-somebody" });
    const whole = createWholeOutput(file, { smallBytes: 99, maxBytes: 999 }, redactor);
    await whole.push("it is a-key-of");
    await whole.push("-somebody.");
    expect(await whole.end()).toEqual({ kind: "small", text: "it is [secret:KEY]." });
  });

  it("is never cut inside a character", async () => {
    const { kept, read } = await write(211, "ü".repeat(50), "late");
    expect(kept).toMatchObject({ kind: "kept", cut: true });
    expect(read()).toMatch(/^ü{5}\n\[cut: /);
    expect(Buffer.byteLength(read())).toBe(kept.kind === "kept" ? kept.bytes : -1);
  });

  it("is told as lost where the disk does not take it", async () => {
    const whole = createWholeOutput(
      "/dev/null/0.txt",
      { smallBytes: 1, maxBytes: 99 },
      createRedactor(),
    );
    await whole.push("text");
    await whole.push("more");
    expect(await whole.end()).toEqual({ kind: "lost" });
  });
});
