import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createSessions } from "../../apps/agent-runner/agent-run/sessions.ts";
import { createRedactor } from "../../apps/agent-runner/redact.ts";
import { filesBelow } from "./kit/realRuns.ts";
import { makeRepository, temporaryFolder, writeFiles } from "./kit/repositories.ts";
import { openRunner } from "./kit/runners.ts";
import { finishRun, scriptAgent, scriptRegistry, scriptRun } from "./kit/scriptAgent.ts";
import { anewInPlaceOf, archiveOf, putSession, takeSession } from "./kit/sessions.ts";

const secrets = { API_KEY: "key-that-must-not-leave" };
const session = { id: "5e55-10" };
const repository = () => makeRepository({ "a.txt": "one\n" });

/** Adds to what it finds of an earlier run where it works, and says what was there. */
const talk = `
  const file = path.join(process.env.HOME, "session", "deep", "talk.txt");
  const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const line = [process.cwd(), process.env.HOME, process.env.API_KEY].join(" ") + "\\n";
  fs.writeFileSync(file, before + line);
  fs.writeFileSync(path.join(process.env.HOME, "session", "empty"), "");
  fs.writeFileSync(path.join(process.env.HOME, "session", "big"), Buffer.alloc(500_000, 7));
  fs.writeFileSync(path.join(process.env.HOME, "session", process.env.API_KEY), "");
  fs.writeFileSync(path.join(process.env.HOME, "other"), "not of the session");
  fs.symlinkSync("/etc/hostname", path.join(process.env.HOME, "session", "link" + process.pid));
  emit({ type: "init", session_id: "5e55-10" });
  say(before + line); succeed();`;

const opened = () => openRunner({ registry: scriptRegistry });

describe("a session that goes to another runner", () => {
  it("is resumed in the same working directory and HOME, redacted, with its own files alone", async () => {
    const source = repository();
    const choice = { repositories: [source], registry: scriptRegistry };
    const first = await openRunner(choice);
    await finishRun(first, "exec_1", scriptRun(source, talk, { secrets }));
    const archive = await takeSession(first.client, "exec_1");

    const second = await anewInPlaceOf(first, choice);
    const stored = await putSession(second.client, "exec_2", archive);
    const run = scriptRun(source, talk, { secrets, session });
    const { report } = await finishRun(second, "exec_2", run);

    const places = `${first.state}/runs/exec_1/workspace ${first.state}/runs/exec_1/home`;
    expect(stored).toMatchObject({ status: 200, body: { value: { stored: true } } });
    expect(report.terminal?.text).toBe(`${places} [secret:API_KEY]\n`.repeat(2));
    expect(archive).not.toContain(secrets.API_KEY);
    const kept = `${first.state}/sessions/script/5e55-10/home`;
    expect(filesBelow(kept).map((path) => path.slice(kept.length))).toEqual([
      "/session/big",
      "/session/empty",
      "/session/deep/talk.txt",
    ]);
    expect(readdirSync(`${first.state}/bundles`)).toEqual([]);
  });

  it("is not put in the place of one that a run has begun with", async () => {
    const source = repository();
    const runner = await openRunner({ repositories: [source], registry: scriptRegistry });
    await finishRun(runner, "exec_1", scriptRun(source, talk, { secrets }));

    const late = await putSession(runner.client, "exec_1", archiveOf([{ path: "session/late" }]));

    expect(late).toMatchObject({ status: 200, body: { value: { stored: false } } });
    expect(await takeSession(runner.client, "exec_1")).not.toContain("late");
  });
});

describe("a session that is not kept any more", () => {
  it("is asked of the agent all the same, unless a new one will do", async () => {
    const source = repository();
    const choice = { repositories: [source], registry: scriptRegistry };
    const tell = `say(process.env.SESSION); succeed();`;
    const told = async (id: string, asked: { id: string; orNew?: true }) => {
      const run = scriptRun(source, tell, { session: asked });
      return (await finishRun(await openRunner(choice), id, run)).report.terminal?.text;
    };

    expect(await told("exec_1", session)).toBe("resume 5e55-10");
    expect(await told("exec_2", { ...session, orNew: true })).toMatch(/^new (?!5e55-10)/);
  });

  it("is gone on with while it is kept, also where a new one would do", async () => {
    const source = repository();
    const runner = await openRunner({ repositories: [source], registry: scriptRegistry });
    await finishRun(runner, "exec_1", scriptRun(source, talk, { secrets }));

    const tell = `say(process.env.SESSION); succeed();`;
    const again = scriptRun(source, tell, { session: { ...session, orNew: true } });

    expect((await finishRun(runner, "exec_2", again)).report.terminal?.text).toBe("resume 5e55-10");
  });
});

describe("the session of a run", () => {
  it("is not there while the run is live, when it kept none, and when nobody knows the run", async () => {
    const source = repository();
    const { client } = await openRunner({ repositories: [source], registry: scriptRegistry });
    const ask = async (id: string) => (await client.answer("GET", `/runs/${id}/session`)).body;
    await client.put("/runs/exec_1", scriptRun(source, `say("here"); await forever();`));

    const live = await ask("exec_1");
    await client.cancel("/runs/exec_1");
    await client.finished("/runs/exec_1");

    expect(live).toMatchObject({ ok: false, error: { code: "busy" } });
    expect(await ask("exec_1")).toMatchObject({ error: { code: "session_not_found" } });
    expect(await ask("exec_9")).toMatchObject({ error: { code: "run_not_found" } });
  });
});

describe("a file of another user", () => {
  it("is not taken out of an agent's HOME, though the runner could read it", async () => {
    const uid = process.getuid?.() ?? 0;
    const home = temporaryFolder("home");
    writeFiles(home, { "session/a": "of another user" });
    const sessions = createSessions(temporaryFolder("sessions"));
    const kept = { agent: scriptAgent, home, executionId: "exec_1", redactor: createRedactor() };

    await sessions.keep({ ...kept, id: "mine", owner: uid });
    await sessions.keep({ ...kept, id: "foreign", owner: uid + 1 });

    expect(filesBelow(sessions.homeOf("script", "mine"))).toHaveLength(1);
    expect(existsSync(sessions.homeOf("script", "foreign"))).toBe(false);
  });
});

describe("an archive of a session", () => {
  const tooMany = Array.from({ length: 2_001 }, (_, n) => ({ path: `session/${n}` }));
  const longest = Buffer.alloc(380_000).toString("base64").slice(0, 500_000);
  const tooLarge = Array.from({ length: 180 }, () => ({ path: "session/a", base64: longest }));

  it.each<[string, string, string]>([
    ["a path that leaves HOME", archiveOf([{ path: "session/../../x" }]), "invalid_request"],
    ["an absolute path", archiveOf([{ path: "/session/x" }]), "invalid_request"],
    ["a path with a hole", archiveOf([{ path: "session//x" }]), "invalid_request"],
    ["a path with a NUL", archiveOf([{ path: "session/\0" }]), "invalid_request"],
    [
      "a file that is none of the agent's session",
      archiveOf([{ path: ".bashrc" }]),
      "invalid_request",
    ],
    ["a file whose name only begins so", archiveOf([{ path: "sessions/x" }]), "invalid_request"],
    ["a link", archiveOf([{ path: "session/x", link: "/etc/passwd" }]), "invalid_request"],
    [
      "a file where a folder is",
      archiveOf([{ path: "session/a/b" }, { path: "session/a" }]),
      "invalid_request",
    ],
    [
      "a folder where a file is",
      archiveOf([{ path: "session/a" }, { path: "session/a/b" }]),
      "invalid_request",
    ],
    [
      "a file twice",
      archiveOf([{ path: "session/a" }, { path: "session/b" }, { path: "session/a" }]),
      "invalid_request",
    ],
    ["no base64", archiveOf([{ path: "session/a", base64: "%%%" }]), "invalid_request"],
    ["too many files", archiveOf(tooMany), "body_too_large"],
    ["too much in its files", archiveOf(tooLarge), "body_too_large"],
    [
      "a line that is too long",
      archiveOf([{ path: "session/a", base64: "A".repeat(600_000) }]),
      "invalid_request",
    ],
    ["an agent that nobody knows", archiveOf([], { agent: "constructor" }), "unknown_provider"],
    ["an id that leaves its folder", archiveOf([], { id: "../x" }), "invalid_request"],
    ["a run that leaves its folder", archiveOf([], { executionId: "../../x" }), "invalid_request"],
    ["another format", archiveOf([], { format: "session/2" }), "invalid_request"],
    ["nothing in it", "", "invalid_request"],
  ])("with %s is refused, and nothing of it stays", async (_, archive, code) => {
    const { client, state } = await opened();

    const answer = await putSession(client, "exec_1", archive);

    expect(answer.body).toMatchObject({ ok: false, error: { code } });
    expect(filesBelow(`${state}/sessions`)).toEqual([]);
    expect(readdirSync(`${state}/bundles`)).toEqual([]);
  });

  it("is taken from nobody without the runner's token", async () => {
    const { client, state } = await opened();

    const archive = archiveOf([{ path: "session/a" }]);
    const answer = await putSession(client, "exec_1", archive, "another token");

    expect(answer).toMatchObject({ status: 401, body: { error: { code: "unauthenticated" } } });
    expect(filesBelow(`${state}/sessions`)).toEqual([]);
  });
});
