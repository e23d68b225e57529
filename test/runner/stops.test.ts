import { describe, expect, it } from "vitest";
import type { RunRequest } from "../../shared/contracts/runner.ts";
import { processesOf } from "./kit/processes.ts";
import { makeRepository } from "./kit/repositories.ts";
import { openRunner } from "./kit/runners.ts";
import { finishRun, said, scriptRegistry, scriptRun, waitForEvent } from "./kit/scriptAgent.ts";

const open = async () => {
  const repository = makeRepository({ "a.txt": "one\n" });
  const opened = await openRunner({ repositories: [repository], registry: scriptRegistry });
  return { ...opened, repository };
};

const limits = (more: Partial<RunRequest["limits"]>) => ({
  limits: { wallClockMs: 60_000, silenceMs: 60_000, maxPatchBytes: 1_000_000, ...more },
});

describe("a run is stopped", () => {
  it("when it takes too long, however much it says", async () => {
    const opened = await open();
    const script = `setInterval(() => say("still here"), 20);`;
    const request = scriptRun(opened.repository, script, limits({ wallClockMs: 400 }));

    const { report, events } = await finishRun(opened, "exec_wall", request);

    expect(report).toMatchObject({
      stoppedBy: "wall_clock",
      terminal: null,
      patch: null,
      fault: null,
    });
    expect(events.at(-1)).toEqual({ type: "interrupted", reason: "wall_clock" });
  });

  it("when nothing is heard of it", async () => {
    const opened = await open();
    const script = `say("here"); fs.writeFileSync("b", ""); await forever();`;
    const request = scriptRun(opened.repository, script, limits({ silenceMs: 400 }));

    const { report } = await finishRun(opened, "exec_silent", request);

    expect(report).toMatchObject({
      stoppedBy: "silence",
      exit: { signal: "SIGTERM" },
      patch: null,
    });
  });

  it("not while it is heard on stderr", async () => {
    const opened = await open();
    const script = `for (let n = 0; n < 8; n += 1) { console.error("."); await new Promise((go) => setTimeout(go, 250)); } succeed();`;
    const request = scriptRun(opened.repository, script, limits({ silenceMs: 1500 }));

    const { report } = await finishRun(opened, "exec_stderr", request);

    expect(report).toMatchObject({ stoppedBy: null, terminal: { ok: true } });
  });

  it.each(["cancel", "wall_clock", "silence"] as const)(
    "by request, for the reason given: %s",
    async (reason) => {
      const opened = await open();
      await opened.client.put(
        "/runs/exec_asked",
        scriptRun(opened.repository, `say("here"); await forever();`),
      );
      await waitForEvent(opened, "/runs/exec_asked", said("here"));

      await opened.client.cancel("/runs/exec_asked", reason);
      await opened.client.finished("/runs/exec_asked");

      const { report } = await opened.client.runResult("/runs/exec_asked");
      expect(report?.stoppedBy).toBe(reason);
      expect(processesOf(opened.state)).toEqual([]);
    },
  );

  it("for the first reason of several", async () => {
    const opened = await open();
    await opened.client.put(
      "/runs/exec_two",
      scriptRun(opened.repository, `say("here"); await forever();`),
    );
    await waitForEvent(opened, "/runs/exec_two", said("here"));

    await opened.client.cancel("/runs/exec_two", "silence");
    await opened.client.cancel("/runs/exec_two", "cancel");
    const events = await opened.client.finished("/runs/exec_two");

    const { report } = await opened.client.runResult("/runs/exec_two");
    expect(report?.stoppedBy).toBe("silence");
    expect(events.filter(({ event }) => event.type === "interrupted")).toHaveLength(1);
  });

  it("before its agent has begun", async () => {
    const opened = await open();
    const request = scriptRun(opened.repository, `await forever();`);

    await opened.client.put("/runs/exec_early", request);
    await opened.client.cancel("/runs/exec_early");
    await opened.client.finished("/runs/exec_early");

    const { report } = await opened.client.runResult("/runs/exec_early");
    expect(report).toMatchObject({ stoppedBy: "cancel", fault: null, patch: null });
  });

  it.each([
    "workspace_ready",
    "agent_started",
    "message",
    "result",
    "agent_exited",
    "diff",
  ] as const)("after %s, with one outcome", async (type) => {
    const opened = await open();
    const script = `say("here"); fs.writeFileSync("b", ""); succeed();`;
    await opened.client.put("/runs/exec_at", scriptRun(opened.repository, script));
    await waitForEvent(opened, "/runs/exec_at", (event) => event.type === type);

    await opened.client.cancel("/runs/exec_at");
    const events = await opened.client.finished("/runs/exec_at");

    const { report } = await opened.client.runResult("/runs/exec_at");
    const isStopped = report?.stoppedBy === "cancel";
    expect(report).toMatchObject({ fault: null });
    expect(report?.patch === null).toBe(isStopped);
    expect(events.at(-1)?.event.type).toBe(isStopped ? "interrupted" : "diff");
    expect(processesOf(opened.state)).toEqual([]);
  });

  it("though it ignores every signal that can be ignored", async () => {
    const opened = await open();
    const script = `for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => say(name)); say("here"); await forever();`;
    await opened.client.put("/runs/exec_deaf", scriptRun(opened.repository, script));
    await waitForEvent(opened, "/runs/exec_deaf", said("here"));

    await opened.client.cancel("/runs/exec_deaf");
    await waitForEvent(opened, "/runs/exec_deaf", said("SIGTERM"));
    await opened.client.finished("/runs/exec_deaf");

    const { report } = await opened.client.runResult("/runs/exec_deaf");
    expect(report).toMatchObject({ stoppedBy: "cancel", exit: { signal: "SIGKILL" } });
  });
});

describe("no process survives a run", () => {
  const stray = `
    const start = (command) => { const child = spawn("bash", ["-c", command], { detached: true, stdio: "inherit" }); child.unref(); };
    start("setsid sleep 300 & exec sleep 300"); start("trap '' TERM INT HUP; while true; do sleep 300; done");`;

  it("that ended by itself and left children with its outputs open", async () => {
    const opened = await open();

    const { report } = await finishRun(
      opened,
      "exec_stray",
      scriptRun(opened.repository, `${stray} succeed(); process.exit(0);`),
    );

    expect(report).toMatchObject({ terminal: { ok: true }, fault: null });
    expect(processesOf(opened.state)).toEqual([]);
  });

  it("that was cancelled", async () => {
    const opened = await open();
    await opened.client.put(
      "/runs/exec_stray2",
      scriptRun(opened.repository, `${stray} say("here"); await forever();`),
    );
    await waitForEvent(opened, "/runs/exec_stray2", said("here"));
    const during = processesOf(opened.state);

    await opened.client.cancel("/runs/exec_stray2");
    await opened.client.finished("/runs/exec_stray2");

    expect(during.length).toBeGreaterThanOrEqual(5);
    expect(processesOf(opened.state)).toEqual([]);
  });

  it("whose guard was killed by its agent", async () => {
    const opened = await open();
    const script = `process.kill(process.ppid, "SIGKILL"); say("here"); await forever();`;

    const { report } = await finishRun(opened, "exec_guard", scriptRun(opened.repository, script));

    expect(report).toMatchObject({ terminal: null, exit: { exitCode: null, signal: null } });
    expect(processesOf(opened.state)).toEqual([]);
  });
});
