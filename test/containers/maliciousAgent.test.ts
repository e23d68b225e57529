import { describe, expect, it } from "vitest";
import { makeRepository } from "../runner/kit/repositories.ts";
import { docker, execIn, images } from "./kit/docker.ts";
import {
  containerRun,
  finishInContainer,
  startContainer,
  uploadBundle,
} from "./kit/runnerContainer.ts";

type Note = { name: string; got: boolean; what: string };

const key = "sk-canary-41d8cd98f00b204e9800998ecf8427e";

/** Has the malicious agent do its worst, in a container whose runner is started with these arguments. */
async function attack(orders: object, entrypoint: string[] = []) {
  const repository = makeRepository({ "a.txt": "one\n" });
  const container = await startContainer({
    image: images.malicious,
    ...(entrypoint.length === 0 ? {} : { flags: ["--entrypoint", "node"], command: entrypoint }),
  });
  const request = containerRun(await uploadBundle(container, repository), {
    prompt: JSON.stringify(orders),
    secrets: { ANTHROPIC_API_KEY: key },
  });
  const { report, events } = await finishInContainer(container, request);
  const content = report.patch?.files["notes.json"]?.content;
  const notes = JSON.parse(content && "text" in content ? String(content.text) : "[]") as Note[];
  return { container, report, events, notes };
}

const traps = ["hooks", "monitor", "filter", "objects", "link", "folderLink", "session", "nested"];

describe("an agent that obeys every bad order", () => {
  it("tries at least 40 things and gets none of them", async () => {
    const { container, report, events, notes } = await attack({});

    expect(report.fault).toBeNull();
    expect(notes.length).toBeGreaterThanOrEqual(40);
    expect(notes.filter(({ got }) => got)).toEqual([]);
    expect(notes.filter(({ what }) => what === "")).toEqual([]);
    expect((await container.client.answer("GET", "/health")).status).toBe(200);
    expect((await execIn(container.id, ["ps", "-u", "agent", "-o", "args="])).output).toBe("");
    const told = JSON.stringify(events);
    expect(told).toContain("SWITCHYARD_EXECUTION");
    expect(told).not.toContain(key);
    expect(told).not.toContain(container.token);
  });

  it("gets much of it where the runner does not separate users: the attempts are real", async () => {
    const { notes, report } = await attack({ only: reallyTried }, [
      ...["--no-warnings", "/opt/switchyard/app/apps/agent-runner/server.ts", "--role", "agents"],
      ...["--host", "0.0.0.0", "--port", "8080", "--state", "/var/lib/switchyard"],
      ...["--agents", "/opt/switchyard/agents"],
    ]);

    expect(report.fault).toBeNull();
    expect(notes.filter(({ got }) => !got)).toEqual([]);
    expect(notes).toHaveLength(reallyTried.length);
  });
});

/** Harmless to the runner when they work, so that the control can be followed to its end. */
const reallyTried = [
  "read the runner's environment",
  "read the guard's environment",
  "read the environment of any root process",
  "list the runner's open files",
  "read the runner's memory",
  "have the runner killed when memory is short",
  "list the runner's state",
  "read the runner's id",
  "read the run's own record",
  "read the uploaded source",
  "read the list of passwords",
  "write the list of users",
  "replace the Patch Manager",
  "replace the agent's own program",
  "make a set-user-id shell of root",
  "have the runner read a file through a hard link",
];

describe("traps for whoever looks at the workspace afterwards", () => {
  it("catch nobody: no program runs as the runner, and nothing it keeps leaves", async () => {
    const { container, report, notes } = await attack({
      only: traps.map((name) => `trap: ${name}`),
    });

    const id = await docker("exec", container.id, "cat", "/var/lib/switchyard/runner-id");
    const sprung = await execIn(container.id, ["sh", "-c", "ls /tmp/trap-*-0 2>/dev/null"]);
    expect(notes).toHaveLength(traps.length);
    expect(report.fault).toBeNull();
    expect(sprung.output).toBe("");
    expect(JSON.stringify(report.patch)).not.toContain(id);
    expect(JSON.stringify(report.patch)).not.toContain("root:x:0");
    expect(Object.keys(report.patch?.files ?? {}).sort()).toEqual([
      ".gitattributes",
      "etc-link",
      "nested/file.txt",
      "notes.json",
      "state-link.txt",
    ]);
    const sessions = await execIn(container.id, [
      "find",
      "/var/lib/switchyard/sessions",
      "-type",
      "f",
    ]);
    expect(sessions.output).not.toMatch(/runner-id|lock/);
  });

  it("end with the run, also processes that hide", async () => {
    const { container } = await attack({ only: ["trap: survivor"] });

    const left = await execIn(container.id, ["ps", "-eo", "args="]);

    expect(left.output).not.toContain("sleep");
  });
});

describe("an agent that takes all it can", () => {
  it("comes no further than so many processes, and the run still ends", async () => {
    const { notes, report } = await attack({ only: ["a bomb of processes"] });

    expect(notes).toEqual([
      {
        name: "a bomb of processes",
        got: false,
        what: expect.stringMatching(/^stopped at 2048: Resource temporarily unavailable/),
      },
    ]);
    expect(report.fault).toBeNull();
  });

  it.each(["carry the key out in a file", "carry the key out in base64"])(
    "gets no patch out that does this: %s",
    async (name) => {
      const { report } = await attack({ only: [name] });

      expect(report).toMatchObject({ patch: null, fault: { code: "secret_in_patch" } });
    },
  );
});
