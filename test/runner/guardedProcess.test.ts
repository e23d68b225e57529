import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemPath } from "../../apps/agent-runner/processes/environment.ts";
import { startGuarded } from "../../apps/agent-runner/processes/guardedProcess.ts";
import { finishPatch, newFile, patchRequest, setOf } from "./kit/patchRuns.ts";
import { isRunning, until } from "./kit/processes.ts";
import { makeRepository } from "./kit/repositories.ts";
import { openRunner, projectFolder } from "./kit/runners.ts";

let serial = 0;

/** A process that clears its environment and leaves its group and session: no marker and no group finds it. */
function hidden() {
  serial += 1;
  const sleep = `/bin/sleep 60.${process.pid}${serial}`;
  return {
    start: `env -i setsid ${sleep} & sleep 0.3`,
    sleep,
    isThere: () => isRunning(sleep),
  };
}

const guarded = (script: string) =>
  startGuarded({
    argv: ["bash", "-c", script],
    cwd: "/",
    env: { PATH: systemPath },
    stdin: "",
    markers: { runnerId: `test-${process.pid}`, executionId: "exec_1" },
  });

describe.runIf(process.platform === "linux")("a process that hides from its run", () => {
  it("ends with the command that started it", async () => {
    const { start, isThere } = hidden();

    const command = guarded(`${start}; exit 7`);
    await until(isThere);

    expect(await command.exit).toEqual({ exitCode: 7, signal: null });
    await command.closed;
    expect(isThere()).toBe(false);
  });

  it("ends with the command though it goes on to start others", async () => {
    const { sleep, isThere } = hidden();
    const restless = `for _ in {1..200}; do (setsid ${sleep} &); /bin/sleep 0.01; done`;

    const command = guarded(`env -i setsid bash -c '${restless}' & sleep 0.5`);
    await command.closed;

    expect(isThere()).toBe(false);
  });

  it("ends when the command has killed its guard", async () => {
    const { start, isThere } = hidden();

    const command = guarded(`${start}; kill -KILL $PPID; sleep 300`);
    await command.closed;

    expect(await command.exit).toBeNull();
    expect(isThere()).toBe(false);
  });

  it("ends when the runner is killed", async () => {
    const { start, isThere } = hidden();
    const module = join(projectFolder, "apps/agent-runner/processes/guardedProcess.ts");
    const runner = spawn(
      process.execPath,
      [
        ...["--no-warnings", "--input-type=module", "--eval"],
        `import { startGuarded } from ${JSON.stringify(module)};
         startGuarded({ argv: ["bash", "-c", ${JSON.stringify(`${start}; sleep 300`)}], cwd: "/", env: { PATH: process.env.PATH },
           stdin: "", markers: { runnerId: "test-killed", executionId: "exec_1" } });`,
      ],
      { stdio: "ignore" },
    );
    await until(isThere);

    runner.kill("SIGKILL");
    await once(runner, "exit");

    await until(() => !isThere());
  });

  it("ends with the validation command of a patch", async () => {
    const { start, isThere } = hidden();
    const repository = makeRepository({ "a.txt": "one\n" });
    const opened = await openRunner({ role: "patches", repositories: [repository] });
    const commands = [{ name: "hides", argv: ["bash", "-c", start], timeoutMs: 20_000 }];

    const { report } = await finishPatch(
      opened,
      patchRequest(repository, setOf(repository, { "b.txt": newFile("new\n") }), {
        validation: { commands },
      }),
    );

    expect(report).toMatchObject({ kind: "applied", validation: { status: "passed" } });
    expect(isThere()).toBe(false);
  });
});
