import { describe, expect, it } from "vitest";
import { driveAgent } from "../../apps/agent-runner/agent-run/driveAgent.ts";
import { noFacts, withEvent } from "../../apps/agent-runner/agent-run/runFacts.ts";
import { agentRegistry, type LineAgentName } from "../../apps/agent-runner/agents/registry.ts";
import { withResetTimes } from "../../apps/agent-runner/agents/resetTimes.ts";
import { createRedactor } from "../../apps/agent-runner/redact.ts";
import { createRecorder } from "../../apps/agent-runner/runs/recorder.ts";
import { createStopSwitch } from "../../apps/agent-runner/runs/stopSwitch.ts";
import type { AgentEvent } from "../../shared/contracts/agentEvent.ts";
import { ofType } from "./kit/fakeAcp.ts";
import { memoryLog } from "./kit/memoryLog.ts";
import { temporaryFolder } from "./kit/repositories.ts";
import { type Step, scriptedChild, settled } from "./kit/scriptedChild.ts";
import { type Transcript, transcriptsOf } from "./kit/transcripts.ts";

/** For each agent what it said in a run that ended well, and in one that was interrupted. */
const recorded: Readonly<Record<LineAgentName, { good: string; interrupted: string | null }>> = {
  "claude-code": { good: "plain", interrupted: "hang-sigint" },
  codex: { good: "plain", interrupted: "hang-sigint" },
  gemini: { good: "plain", interrupted: "hang-sigterm-norelaunch" },
  copilot: { good: "plain-usage", interrupted: "hang-sigint-direct" },
  cursor: { good: "documented-shape", interrupted: null },
};
const names = Object.keys(recorded) as LineAgentName[];

const transcript = (agent: LineAgentName, name: string): Transcript => {
  const found = transcriptsOf(agent).find((one) => one.name === name);
  return found ?? expect.fail(`${agent} has no recording ${name}`);
};

/** Its first and its last line come in two halves, so that a cancel finds it in the middle of one. */
function wordsOf({ stdout }: Transcript): Step[] {
  const first = stdout.indexOf("\n") + 1;
  const last = stdout.lastIndexOf("\n", stdout.length - 2) + 1;
  const cuts = [0, first >> 1, first, last, (last + stdout.length) >> 1, stdout.length];
  return cuts.slice(1).map((end, at) => ({ does: "say", bytes: stdout.subarray(cuts[at], end) }));
}

const orders = {
  "output, exit": (words: Step[], exit: Step) => [...words, endOutput, endErrors, exit],
  "exit, output": (words: Step[], exit: Step) => [...words, exit, endOutput, endErrors],
  "exit, last words, output": (words: Step[], exit: Step) => [exit, ...words, endErrors, endOutput],
};
const endOutput: Step = { does: "end_output" };
const endErrors: Step = { does: "end_errors" };
type Order = keyof typeof orders;

const exitOf = (exitCode: number | null, signal: string | null = null): Step => ({
  does: "exit",
  exit: { exitCode, signal },
});

/** What an agent may do about the signal that ends it. */
const manners: Record<string, (agent: LineAgentName, order: Order) => readonly Step[] | null> = {
  dies: (_, order) => orders[order]([], exitOf(null, "SIGTERM")),
  "says its last words": (agent, order) => {
    const { good, interrupted } = recorded[agent];
    const heard = transcript(agent, interrupted ?? good);
    return orders[order](wordsOf(heard), exitOf(heard.exit.exitCode));
  },
  "does not mind": () => null,
};

const dialogue = (agent: LineAgentName, order: Order): Step[] => {
  const [first = endOutput, ...words] = wordsOf(transcript(agent, recorded[agent].good));
  return [{ does: "start" }, first, ...orders[order](words, exitOf(0))];
};

type Play = { agent: LineAgentName; script: Step[]; ending: readonly Step[] | null };

/** Plays a run in which a cancel comes after so many steps, and a second one a step later. */
async function playCancelled({ agent, script, ending }: Play, home: string, cancelAfter: number) {
  const adapter = agentRegistry[agent];
  const child = scriptedChild(script, ending);
  const { log, events } = memoryLog();
  let facts = noFacts;
  const redactor = createRedactor({});
  const recorder = createRecorder(log, redactor, (event) => {
    facts = withEvent(facts, event);
  });
  const stopSwitch = createStopSwitch();
  const request = { prompt: "go", password: "", secrets: {}, home };
  const agentRequest = { ...request, session: { kind: "new" as const, id: "s-1" } };
  const cancel = async (steps: number) => {
    if (steps !== cancelAfter && steps !== cancelAfter + 1) return;
    stopSwitch.stop(steps === cancelAfter ? "cancel" : "silence");
    await settled();
  };

  await cancel(-1);
  const driving = driveAgent(
    {
      adapter,
      version: "1.0.0",
      command: { argv: ["agent"], env: {}, stdin: "go" },
      parser: withResetTimes(await adapter.createParser(agentRequest), () => 0),
      agentRequest,
      request: {
        secrets: {},
        limits: { wallClockMs: 60_000, silenceMs: 60_000, maxPatchBytes: 1 },
      },
      markers: { runnerId: "r", executionId: "e", user: null },
      places: { workspace: home, home, temporary: home },
    },
    { startProcess: () => child.process, recorder, redactor, stopSwitch },
  ).then(
    () => null,
    (error: Error) => error,
  );
  let steps = 0;
  do await cancel(steps++);
  while (await child.step());
  const error = await driving;
  await cancel(steps);
  return { child, events, facts, error, stopSwitch, steps };
}

/** However cancel, exit and the end of the output followed on each other. */
function expectOneEnd(events: AgentEvent[], facts: typeof noFacts): void {
  const results = ofType(events, "result");
  expect(results.length).toBeLessThan(2);
  expect(events.filter(({ type }) => type === "agent_exited")).toHaveLength(1);
  expect(events.at(-1)?.type).toBe("agent_exited");
  expect(facts.terminal?.reason).toBe(results[0]?.reason);
}

describe.each(names)("%s, cancelled before and after whatever it does", (agent) => {
  for (const order of Object.keys(orders) as Order[])
    for (const [manner, endingOf] of Object.entries(manners))
      it(`has one end when it ${manner} (${order})`, async () => {
        const home = temporaryFolder("home");
        const script = dialogue(agent, order);
        const play = { agent, script, ending: endingOf(agent, order) };
        const exitsAfter = script.findIndex(({ does }) => does === "exit") + 1;

        for (let after = -1; after <= script.length; after += 1) {
          const { child, events, facts, error, stopSwitch } = await playCancelled(
            play,
            home,
            after,
          );

          expect(error).toBe(null);
          expectOneEnd(events, facts);
          expect(stopSwitch.reason()).toBe("cancel");
          if (after < exitsAfter) expect(child.signals[0]).toBe(agentRegistry[agent].firstSignal);
        }
      });

  it("has one end when nobody cancels", async () => {
    const home = temporaryFolder("home");
    for (const order of Object.keys(orders) as Order[]) {
      const play = { agent, script: dialogue(agent, order), ending: null };

      const { events, facts } = await playCancelled(play, home, 1_000);

      expectOneEnd(events, facts);
      expect(facts.terminal?.ok).toBe(true);
    }
  });

  it.each([-1, 0, 1])(
    "that cannot be started says so, with a cancel after %i steps",
    async (at) => {
      const script: Step[] = [{ does: "not_start" }, endOutput, endErrors];
      const play = { agent, script, ending: null };

      const { events, error } = await playCancelled(play, temporaryFolder("home"), at);

      expect(error).toMatchObject({ code: "agent_not_installed" });
      expect(events).toEqual([]);
    },
  );

  it("that is lost with its guard has one end", async () => {
    const home = temporaryFolder("home");
    const script: Step[] = [{ does: "start" }, { does: "exit", exit: null }, endOutput, endErrors];
    for (let after = -1; after <= script.length; after += 1) {
      const play = { agent, script, ending: null };

      const { events, facts } = await playCancelled(play, home, after);

      expectOneEnd(events, facts);
      expect(facts).toMatchObject({ terminal: null, exit: { exitCode: null, signal: null } });
    }
  });
});
