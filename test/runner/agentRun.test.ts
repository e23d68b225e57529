import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeRepository } from "./kit/repositories.ts";
import { openRunner } from "./kit/runners.ts";
import { runScript, said, scriptRegistry, scriptRun, waitForEvent } from "./kit/scriptAgent.ts";

const repository = () => makeRepository({ "a.txt": "one\ntwo\n" });

describe("a run", () => {
  it("goes from a clone to a patch set, telling each step", async () => {
    const { events, report, folder } = await runScript(
      repository(),
      `fs.writeFileSync("a.txt", "one\\n2\\n"); say("done"); succeed();`,
    );

    expect(events.map(({ type }) => type)).toEqual([
      "workspace_ready",
      "agent_started",
      "message",
      "usage",
      "result",
      "agent_exited",
      "diff",
    ]);
    expect(report).toMatchObject({
      agent: "script",
      stoppedBy: null,
      fault: null,
      terminal: { ok: true, reason: "success", text: "done" },
      exit: { exitCode: 0, signal: null },
      patch: { id: "ps_1", execution_id: "exec_1", files: { "a.txt": { op: "edit" } } },
    });
    expect(readdirSync(folder).sort()).toEqual(["events.ndjson", "report.json", "run.json"]);
  });

  it("that changed nothing has no patch, but the tree it began with", async () => {
    const { report } = await runScript(repository(), `say("nothing to do"); succeed();`);

    expect(report).toMatchObject({ fault: null, patch: null });
    expect(report.treeId).toMatch(/^[0-9a-f]{40}$/);
  });

  it("without a last word of its agent has no terminal, whatever the exit code", async () => {
    const { report } = await runScript(repository(), `say("bye"); process.exit(0);`);

    expect(report).toMatchObject({ terminal: null, exit: { exitCode: 0 }, fault: null });
  });

  it("tells the signal that ended its agent", async () => {
    const { report } = await runScript(repository(), `process.kill(process.pid, "SIGKILL");`);

    expect(report).toMatchObject({
      terminal: null,
      stoppedBy: null,
      exit: { exitCode: null, signal: "SIGKILL" },
    });
  });

  it("goes on after garbage and a line of 3 MB", async () => {
    const { events, report } = await runScript(
      repository(),
      `console.log("garbage {"); console.log("x".repeat(3e6)); emit({ type: "brand_new", n: 1 }); succeed();`,
    );

    expect(events).toMatchObject([
      { type: "workspace_ready" },
      { type: "agent_started" },
      { type: "parse_warning", bytes: 9 },
      { type: "parse_warning", bytes: 3_000_000 },
      { type: "raw", sourceType: "brand_new" },
      { type: "usage" },
      { type: "result" },
      { type: "agent_exited" },
      { type: "diff" },
    ]);
    expect(report).toMatchObject({ terminal: { ok: true }, fault: null });
  });

  it("ends with its agent's last word, though the agent lingers and says more", async () => {
    const { report } = await runScript(
      repository(),
      `process.on("SIGTERM", () => { emit({ type: "result", status: "error", error: { message: "ended" } }); process.exit(0); });
       fs.writeFileSync("b", ""); say("done"); succeed(); await forever();`,
    );

    expect(report).toMatchObject({
      stoppedBy: null,
      terminal: { ok: true, text: "done" },
      error: null,
      exit: { exitCode: 0 },
      patch: { files: { b: { op: "create" } } },
    });
  });

  it("hands over a prompt that is longer than an argument may be", async () => {
    const padding = `// ${"x".repeat(300_000)}`;

    const { report } = await runScript(repository(), `${padding}\nsay("read it all"); succeed();`);

    expect(report.terminal?.text).toBe("read it all");
  });

  it("tells what an agent said on stderr when it could not begin", async () => {
    const { report } = await runScript(
      repository(),
      `console.error("no key given"); process.exit(41);`,
    );

    expect(report.error).toEqual({ kind: "auth", status: null, message: "no key given" });
  });

  it("gives its agent an environment of its own", async () => {
    const { report } = await runScript(
      repository(),
      `say(JSON.stringify({ env: process.env, cwd: process.cwd(), home: fs.readdirSync(process.env.HOME) })); succeed();`,
      { secrets: { API_KEY: "a secret of the run" } },
    );

    const { env, cwd, home } = JSON.parse(report.terminal?.text ?? "");
    expect(Object.keys(env).sort()).toEqual(
      "API_KEY HOME LANG LC_ALL NO_COLOR PATH SESSION SWITCHYARD_EXECUTION SWITCHYARD_RUNNER TERM TMPDIR".split(
        " ",
      ),
    );
    expect(env).toMatchObject({ SWITCHYARD_EXECUTION: "exec_1", API_KEY: "[secret:API_KEY]" });
    expect(cwd).toMatch(/runs\/exec_1\/workspace$/);
    expect(home).toEqual([]);
  });

  it("keeps its folders to itself, and on request after its end", async () => {
    const source = repository();
    const opened = await openRunner({
      repositories: [source],
      registry: scriptRegistry,
      keepWorkspaces: true,
    });
    const script = `say(["workspace", "home", "tmp", "."].map((name) => fs.statSync(path.join("..", name)).mode.toString(8)).join()); succeed();`;
    await opened.client.put("/runs/exec_1", scriptRun(source, script));
    await opened.client.finished("/runs/exec_1");

    const { report } = await opened.client.runResult("/runs/exec_1");

    expect(report?.terminal?.text).toBe("40700,40700,40700,40700");
    expect(existsSync(`${opened.state}/runs/exec_1/workspace/a.txt`)).toBe(true);
  });
});

describe("a secret of a run", () => {
  const secrets = { API_KEY: `key-${randomBytes(12).toString("hex")}` };

  it("in the patch withholds it, naming the file and not the value", async () => {
    const { report } = await runScript(
      repository(),
      `fs.writeFileSync(".env", "KEY=" + process.env.API_KEY); succeed();`,
      { secrets },
    );

    expect(report).toMatchObject({ patch: null, treeId: null, fault: { code: "secret_in_patch" } });
    expect(report.fault?.message).toContain(".env");
    expect(JSON.stringify(report)).not.toContain(secrets.API_KEY);
  });

  it("in the name of a file withholds the patch too", async () => {
    const { report } = await runScript(
      repository(),
      `fs.writeFileSync(process.env.API_KEY, "x"); succeed();`,
      { secrets },
    );

    expect(report).toMatchObject({ patch: null, fault: { code: "secret_in_patch" } });
    expect(JSON.stringify(report)).not.toContain(secrets.API_KEY);
  });

  it("is masked where a message comes in pieces", async () => {
    const { events } = await runScript(
      repository(),
      `for (const part of ["the key is ", process.env.API_KEY.slice(0, 9), process.env.API_KEY.slice(9), "."])
        emit({ type: "message", role: "assistant", content: part, delta: true });
      succeed();`,
      { secrets },
    );

    const text = events.flatMap((event) => (event.type === "message" ? [event.text] : [])).join("");
    expect(text).toBe("the key is [secret:API_KEY].");
  });
});

describe("a patch", () => {
  it("larger than allowed is withheld", async () => {
    const limits = { wallClockMs: 60_000, silenceMs: 60_000, maxPatchBytes: 5000 };
    const script = `for (let n = 0; n < 9; n += 1) fs.writeFileSync("f" + n, "x".repeat(900)); succeed();`;

    const { report } = await runScript(repository(), script, { limits });

    expect(report).toMatchObject({ patch: null, fault: { code: "patch_too_large" } });
  });

  it("with one file larger than allowed is not even read", async () => {
    const limits = { wallClockMs: 60_000, silenceMs: 60_000, maxPatchBytes: 5000 };
    const script = `fs.truncateSync(fs.openSync("huge.bin", "w+"), 1e12); succeed();`;

    const { report } = await runScript(repository(), script, { limits });

    expect(report).toMatchObject({ patch: null, fault: { code: "patch_too_large" } });
    expect(report.fault?.message).toContain("huge.bin");
  });
});

describe("a session", () => {
  it("is kept, redacted, and resumed at the path where it began", async () => {
    const source = repository();
    const opened = await openRunner({ repositories: [source], registry: scriptRegistry });
    const secrets = { API_KEY: "key-that-must-not-stay" };
    const script = `
      const file = path.join(process.env.HOME, "session", "talk.txt");
      const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, before + process.cwd() + " " + process.env.API_KEY + "\\n");
      fs.rmSync(path.dirname(file) + "/link", { force: true });
      fs.symlinkSync("/etc/hostname", path.dirname(file) + "/link");
      emit({ type: "init", session_id: "5e55-10" });
      say(before + process.env.SESSION); succeed();`;
    await opened.client.put("/runs/exec_1", scriptRun(source, script, { secrets }));
    await opened.client.finished("/runs/exec_1");

    const session = { id: "5e55-10" };
    await opened.client.put("/runs/exec_2", scriptRun(source, script, { secrets, session }));
    await opened.client.finished("/runs/exec_2");

    const { report } = await opened.client.runResult("/runs/exec_2");
    const began = `${opened.state}/runs/exec_1/workspace`;
    expect(report?.terminal?.text).toBe(`${began} [secret:API_KEY]\nresume 5e55-10`);
    const kept = `${opened.state}/sessions/script/5e55-10/home/session`;
    expect(readdirSync(kept)).toEqual(["talk.txt"]);
    expect(readFileSync(`${kept}/talk.txt`, "utf8")).not.toContain(secrets.API_KEY);
  });
});

describe("an agent that waits", () => {
  it("is followed live", async () => {
    const source = repository();
    const opened = await openRunner({ repositories: [source], registry: scriptRegistry });
    await opened.client.put("/runs/exec_1", scriptRun(source, `say("here"); await forever();`));

    await waitForEvent(opened, "/runs/exec_1", said("here"));

    expect(await opened.client.runResult("/runs/exec_1")).toMatchObject({
      state: "live",
      report: null,
    });
  });
});
