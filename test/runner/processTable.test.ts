import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { findMarked, parsePs, startOf } from "../../apps/agent-runner/processes/processTable.ts";
import { endMarked } from "../../apps/agent-runner/processes/reaper.ts";

async function start(env: Record<string, string>) {
  const child = spawn("sleep", ["300"], {
    env: { PATH: process.env.PATH, ...env },
    stdio: "ignore",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  return child;
}

describe("the process table", () => {
  it("finds a process by all of its markers, whole", async () => {
    const child = await start({ MARK_A: "one", MARK_B: "two" });

    const found = (...markers: string[]) => findMarked(markers).map(({ pid }) => pid);

    expect(found("MARK_A=one", "MARK_B=two")).toEqual([child.pid]);
    expect(found("MARK_A=one", "MARK_B=three")).toEqual([]);
    expect(found("MARK_A=on")).toEqual([]);
    expect(found("ARK_A=one")).toEqual([]);
  });

  it("tells a process that has ended from one that is there", async () => {
    const child = await start({});
    const before = startOf(child.pid ?? 0);

    child.kill("SIGKILL");
    await once(child, "exit");

    expect(before).not.toBe(null);
    expect(startOf(child.pid ?? 0)).toBe(null);
  });

  it("is read from ps where there is no /proc", () => {
    const table = [
      "  501 Sat Nov  7 08:08:33 2026     /bin/zsh -l HOME=/x SWITCHYARD_RUNNER=r1 TERM=dumb",
      "  502 Sat Nov 21 18:08:33 2026     node agent.js SWITCHYARD_RUNNER=r1 SWITCHYARD_EXECUTION=e1",
      "  503 Sat Nov 21 18:08:33 2026     node agent.js SWITCHYARD_RUNNER=r10",
      "garbage",
    ].join("\n");

    expect(parsePs(table, ["SWITCHYARD_RUNNER=r1"])).toEqual([
      { pid: 501, startedAt: "Sat Nov  7 08:08:33 2026" },
      { pid: 502, startedAt: "Sat Nov 21 18:08:33 2026" },
    ]);
  });
});

describe("the reaper", () => {
  it("waits a moment for a process that shows no environment yet, and leaves it be", async () => {
    const child = spawn("/bin/sleep", ["300"], { env: {}, stdio: "ignore" });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child, "spawn");
    const startedAt = performance.now();

    const outcome = await endMarked(["MARK=nobody"]);

    expect(outcome).toEqual({ kind: "clean" });
    expect(performance.now() - startedAt).toBeGreaterThan(240);
    expect(child.signalCode).toBe(null);
  });

  it("ends what is marked and spares what it is told to", async () => {
    const [marked, spared, other] = await Promise.all([
      start({ MARK: "here" }),
      start({ MARK: "here" }),
      start({ MARK: "there" }),
    ]);
    const gone = once(marked, "exit");

    const outcome = await endMarked(["MARK=here"], { spare: [spared.pid ?? 0] });

    expect(outcome).toEqual({ kind: "clean" });
    expect(await gone).toEqual([null, "SIGKILL"]);
    expect([spared.signalCode, other.signalCode]).toEqual([null, null]);
  });
});
