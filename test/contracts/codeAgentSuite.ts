import { describe, expect, it } from "vitest";
import { judgeRun } from "../../orchestrator/worker/domain/outcome.ts";
import type {
  AgentHandle,
  AgentRequest,
  CodeAgent,
} from "../../orchestrator/worker/domain/ports/codeAgent.ts";
import type { Runner } from "../../orchestrator/worker/domain/ports/runner.ts";
import { Secret } from "../../orchestrator/worker/domain/ports/secrets.ts";
import { cliAgentService } from "../../orchestrator/worker/services/ai-providers/cli/cliAgentService.ts";
import type { RunReport, RunRequest } from "../../shared/contracts/runner.ts";
import type { RunnerWorld } from "./runnerSuite.ts";

/** The awaits of an execution, each from both sides. */
const momentsOfExecute = ["health", "start", "follow", "result"].flatMap((call) => [
  `before ${call}`,
  `after ${call}`,
]);

/** Who listens may hold a question to the runner back, before it is asked and after it is answered. */
type Listener = (moment: string) => Promise<void> | undefined;

function heard(runner: Runner, listen: Listener): Runner {
  const through =
    <Args extends unknown[], Answer>(name: string, call: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      await listen(`before ${name}`);
      const answer = await call(...args);
      await listen(`after ${name}`);
      return answer;
    };
  return {
    ...runner,
    health: through("health", runner.health),
    startRun: through("start", runner.startRun),
    follow: through("follow", runner.follow),
    runResult: through("result", runner.runResult),
  };
}

const agentOver = (runner: Runner, { agent }: RunRequest): CodeAgent =>
  cliAgentService(
    {
      name: agent,
      capabilities: { sources: ["local"], resume: true, cancel: "confirmed", billing: "tokens" },
      credentialVariable: "SCRIPT_KEY",
    },
    () => runner,
  );

const limits = { wallClockMs: 60_000, silenceMs: 60_000 } as AgentRequest["limits"];

const requestOf = ({ prompt, source }: RunRequest, more: Partial<AgentRequest> = {}) => ({
  organizationId: "org_1",
  factory: null,
  executionId: "exec_1",
  fence: 1,
  taskId: "task_1",
  prompt,
  model: null,
  endpoint: null,
  source,
  limits,
  sessionId: null,
  credential: new Secret("the key of the script"),
  credentialName: "SCRIPT_KEY",
  allowedHosts: [],
  doorbell: null,
  ...more,
});

const codeOf = (error: unknown) => (error as { code?: string }).code ?? String(error);

/** Execute, as a supervisor does it: the report, or the code with which the runner refused. */
async function execute(
  agent: CodeAgent,
  handle: AgentHandle,
  asked: RunRequest,
  waitMs: number,
): Promise<RunReport | string> {
  let after = 0;
  try {
    await agent.start(requestOf(asked, handle));
    for (;;) {
      const onEvents = (events: { number: number }[]) => {
        after = events.at(-1)?.number ?? after;
      };
      await agent.follow(handle, { after, waitMs, onEvents });
      const progress = await agent.progress(handle);
      if (progress.kind === "finished" && after >= progress.lastEvent) return progress.report;
    }
  } catch (error) {
    return codeOf(error);
  }
}

const verdictOf = (outcome: RunReport | string): string => {
  if (typeof outcome === "string") return outcome;
  const { patch, ...facts } = outcome;
  const judged = judgeRun(facts, patch !== null);
  return judged.kind === "bad" ? judged.code : judged.kind;
};

/** What every coding agent must do that is driven by this runner. */
export function codeAgentSuite(open: () => Promise<RunnerWorld>): void {
  const ends = [
    ["that ends by itself", "ending", 10_000, ["cancelled", "no_changes", "stale_fence"]],
    ["that goes on until it is stopped", "staying", 50, ["cancelled", "stale_fence"]],
  ] as const;

  describe.each(ends)("a run %s", (_, which, waitMs, verdicts) => {
    it.each([
      ["which is waited for", true],
      ["while the call goes on", false],
    ])("has one outcome wherever it is cancelled, %s", async (_how, isWaitedFor) => {
      const world = await open();
      const agent = agentOver(world.agents, world[which]);
      for (const [nth, moment] of momentsOfExecute.entries()) {
        const handle = { executionId: `exec_${nth}`, fence: 1, factory: null };
        let cancelling: Promise<unknown> | null = null;
        const listener: Listener = (name) => {
          if (name !== moment || cancelling !== null) return;
          cancelling = agent.cancel(handle, "cancel").catch(codeOf);
          return isWaitedFor ? cancelling.then(() => {}) : undefined;
        };
        const cancelled = agentOver(heard(world.agents, listener), world[which]);

        const outcome = await execute(cancelled, handle, world[which], waitMs);
        const answered = await cancelling;

        expect(verdicts, `cancelled ${moment}: ${answered}`).toContain(verdictOf(outcome));
        expect((await world.agents.health(3_000)).live).toBe(null);
        if (answered === "run_not_found") expect(outcome).toBe("stale_fence");
        await agent.cancel(handle, "wall_clock").catch(() => {});
        expect(await execute(agent, handle, world[which], waitMs)).toEqual(outcome);
      }
    });
  });

  describe("a request", () => {
    it("without a prompt, or with a limit that is none, starts nothing", async () => {
      const world = await open();
      const asked: string[] = [];
      const listener: Listener = (moment) => void asked.push(moment);
      const agent = agentOver(heard(world.agents, listener), world.ending);
      const codesOf = (changes: Partial<AgentRequest>[]) =>
        Promise.all(
          changes.map((more) => agent.start(requestOf(world.ending, more)).then(String, codeOf)),
        );

      const noPrompts = await codesOf([{ prompt: "" }, { prompt: " \n\t" }]);
      const noLimits = await codesOf(
        [0, -1, 0.5, Number.NaN, 86_400_001].flatMap((ms) => [
          { limits: { ...limits, wallClockMs: ms } },
          { limits: { ...limits, silenceMs: ms } },
        ]),
      );

      expect(noPrompts).toEqual(Array(2).fill("prompt_required"));
      expect(noLimits).toEqual(Array(10).fill("invalid_timeout"));
      expect(asked).toEqual([]);
    });

    it("takes its session, its key and its model along", async () => {
      const world = await open();
      const sent: RunRequest[] = [];
      const agent = agentOver(
        {
          ...world.agents,
          startRun: (...args) => {
            sent.push(args[1]);
            return world.agents.startRun(...args);
          },
        },
        world.ending,
      );

      await agent.start(requestOf(world.ending, { sessionId: "s-1", model: "m-1" }));

      expect(sent).toMatchObject([
        { session: { id: "s-1" }, model: "m-1", secrets: { SCRIPT_KEY: "the key of the script" } },
      ]);
    });
  });

  describe("an agent", () => {
    it("is available with its version where its runner has it, and not under another name", async () => {
      const { agents, ending } = await open();

      expect(await agentOver(agents, ending).availability(3_000)).toMatchObject({
        kind: "available",
        version: expect.stringMatching(/\d/),
      });
      expect(
        await agentOver(agents, { ...ending, agent: "hal" }).availability(3_000),
      ).toMatchObject({
        kind: "unavailable",
        code: "agent_not_installed",
      });
    });
  });
}
