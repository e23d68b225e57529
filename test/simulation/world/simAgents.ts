import type {
  AgentHandle,
  AgentProgress,
  AgentRequest,
  CodeAgent,
} from "../../../orchestrator/worker/domain/ports/codeAgent.ts";
import type { AgentEvent, NumberedEvent } from "../../../shared/contracts/agentEvent.ts";
import type { RunReport } from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { type Ending, factsOf, goodReport } from "./simReports.ts";
import type { World } from "./world.ts";

/** One run of an agent as its runner sees it. */
export type SimRun = {
  taskId: string;
  executionId: string;
  fence: number;
  request: AgentRequest;
  events: NumberedEvent[];
  report: RunReport | null;
  /** Whether its process tree is there. */
  isAlive: boolean;
  startedAtMs: number;
  endedAtMs: number | null;
  /** How long it takes to end after it was told to. */
  stubbornMs: number;
  stopAsked: boolean;
};

/** An agent as its adapter sees it: a start is two requests, and the second names what the first has found. */
export type SimAgent = Omit<CodeAgent, "start"> & {
  boot(request: AgentRequest): Promise<number>;
  startAt(boot: number, request: AgentRequest): Promise<AgentHandle>;
};

export const asCodeAgent = (agent: SimAgent): CodeAgent => ({
  name: agent.name,
  capabilities: agent.capabilities,
  availability: (timeoutMs) => agent.availability(timeoutMs),
  start: async (request) => agent.startAt(await agent.boot(request), request),
  follow: (handle, options) => agent.follow(handle, options),
  progress: (handle) => agent.progress(handle),
  cancel: (handle, reason) => agent.cancel(handle, reason),
});

/** The runners of agents: a container for each execution, with processes that live and die on their own. */
export class SimAgents {
  readonly runs = new Map<string, SimRun>();
  /** Grows with whatever the invariants look at. */
  version = 0;
  /** Called when a run has reported its end. */
  onEnd: (taskId: string) => void = () => {};
  /** Runs that were cancelled before they were started: a start that comes late is refused. */
  readonly #tombs = new Set<string>();
  /** How often the container of an execution was lost. */
  readonly #losses = new Map<string, number>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  agent(name: string): SimAgent {
    return {
      name,
      capabilities: { sources: ["local"], resume: true, cancel: "confirmed", billing: "tokens" },
      availability: async () => ({ kind: "available", version: "1.0.0" }),
      boot: async ({ executionId }) => {
        this.#refuseIfPartitioned();
        return this.#bootOf(executionId);
      },
      startAt: async (boot, request) => {
        this.#refuseIfPartitioned();
        if (!this.runs.has(request.executionId) && this.#bootOf(request.executionId) !== boot)
          throw new SwitchyardError("runner_unreachable", "The runner was started anew since.");
        return this.#start(name, request);
      },
      follow: async (handle, options) => {
        await this.#waitForMore(handle, options);
        const run = this.#find(handle);
        const fresh = run.events.slice(options.after);
        if (fresh.length === 0) return;
        const cut = this.#world.chance.below(fresh.length + 1);
        if (cut > 0) options.onEvents(fresh.slice(0, cut));
        if (this.#world.strikes("runner_failed_after"))
          throw new SwitchyardError("runner_unreachable", "The stream broke off.");
        if (cut < fresh.length) options.onEvents(fresh.slice(cut));
      },
      progress: async (handle) => this.#progress(this.#find(handle)),
      cancel: async (handle, reason) => {
        if (!this.runs.has(handle.executionId)) this.#tombs.add(handle.executionId);
        this.#stop(this.#find(handle), reason);
      },
    };
  }

  /** The machine under a run is gone, and all that it knew. */
  lose(executionId: string): void {
    const run = this.runs.get(executionId);
    if (run === undefined) return;
    this.#endProcess(run);
    this.runs.delete(executionId);
    this.#losses.set(executionId, this.#bootOf(executionId) + 1);
    this.#world.trace.tell(this.#world.nowMs, `runner ${executionId}`, "the container is gone");
  }

  shutDown(executionId: string): void {
    const run = this.runs.get(executionId);
    if (run === undefined || run.report !== null) return;
    this.#finish(run, { stoppedBy: "shutdown", terminal: null, patch: null });
  }

  alive(): SimRun[] {
    return [...this.runs.values()].filter(({ isAlive }) => isAlive);
  }

  #bootOf(executionId: string): number {
    return this.#losses.get(executionId) ?? 0;
  }

  #refuseIfPartitioned(): void {
    if (this.#world.isPartitioned())
      throw new SwitchyardError("runner_unreachable", "The network is split.");
  }

  #start(name: string, request: AgentRequest): AgentHandle {
    const { executionId, fence, taskId } = request;
    if (this.#tombs.has(executionId))
      throw new SwitchyardError("stale_fence", "The run was cancelled before it was started.");
    const known = this.runs.get(executionId);
    if (known !== undefined) {
      if (fence < known.fence) throw new SwitchyardError("stale_fence", "A higher fence is known.");
      return { executionId, fence, factory: null };
    }
    this.version += 1;
    const run: SimRun = {
      taskId,
      executionId,
      fence,
      request,
      events: [],
      report: null,
      isAlive: true,
      startedAtMs: this.#world.nowMs,
      endedAtMs: null,
      stubbornMs: this.#world.chance.happens(0.1) ? this.#world.chance.below(8_000) : 100,
      stopAsked: false,
    };
    this.runs.set(executionId, run);
    this.#world.trace.tell(
      this.#world.nowMs,
      `runner ${executionId}`,
      `${name} starts (fence ${fence})`,
    );
    this.#live(name, run);
    return { executionId, fence, factory: null };
  }

  /** Draws what the agent will do, and lets it happen. */
  #live(name: string, run: SimRun): void {
    const { chance, timeline } = this.#world;
    const ending = this.#drawEnding(run);
    const lastsMs = chance.between(5_000, 240_000);
    const says = chance.between(1, 8);
    this.#emit(run, { type: "agent_started", agent: name, version: "1.0.0" });
    for (let at = 1; at <= says; at += 1)
      timeline.after(Math.floor((lastsMs * at) / (says + 1)), () => {
        if (ending === "silent" && at > 1) return;
        this.#emit(run, { type: "message", role: "assistant", text: `step ${at}` });
      });
    if (ending === "hangs") this.#chatter(run);
    if (ending === "hangs" || ending === "silent") return;
    timeline.after(lastsMs, () => this.#end(run, ending));
    if (this.#world.strikes("runner_died"))
      timeline.after(chance.below(lastsMs), () => this.lose(run.executionId));
    if (this.#world.strikes("runner_shut_down"))
      timeline.after(chance.below(lastsMs), () => this.shutDown(run.executionId));
  }

  /** It never ends by itself, but goes on talking. */
  #chatter(run: SimRun): void {
    if (run.report !== null || !run.isAlive) return;
    this.#emit(run, { type: "message", role: "assistant", text: "still at it" });
    this.#world.timeline.after(60_000, () => this.#chatter(run));
  }

  #drawEnding(run: SimRun): Ending {
    const { chance } = this.#world;
    if (this.#world.strikes("agent_hangs")) return "hangs";
    if (this.#world.strikes("agent_silent")) return "silent";
    if (this.#world.strikes("provider_limited")) return "limited";
    if (this.#world.strikes("provider_refused")) return "refused";
    if (this.#world.strikes("provider_timed_out")) return "timed_out";
    if (this.#world.strikes("patch_unmade")) return "unpatchable";
    const { sessionId, sessionTaskId } = run.request;
    const isAnswered = sessionId !== null && sessionTaskId === undefined;
    if (!isAnswered && this.#world.strikes("agent_asks")) return "asks";
    return !this.#world.isQuiet && chance.happens(0.1) ? "no_changes" : "patch";
  }

  #end(run: SimRun, ending: Ending): void {
    const facts = factsOf(ending, this.#world.nowMs, this.#world.chance);
    if (facts !== null) this.#finish(run, facts);
  }

  #stop(run: SimRun, reason: "cancel" | "wall_clock" | "silence"): void {
    if (run.report !== null || run.stopAsked) return;
    run.stopAsked = true;
    this.#world.timeline.after(run.stubbornMs, () =>
      this.#finish(run, { stoppedBy: reason, terminal: null, patch: null, treeId: null }),
    );
  }

  /** A stream that is held open while somebody watches. */
  async #waitForMore(
    handle: AgentHandle,
    { after, waitMs, signal }: { after: number; waitMs: number; signal?: AbortSignal },
  ): Promise<void> {
    const untilMs = this.#world.nowMs + waitMs;
    const isQuiet = () => {
      const run = this.#find(handle);
      return run.events.length <= after && run.report === null && signal?.aborted !== true;
    };
    while (this.#world.nowMs < untilMs && isQuiet())
      await this.#world.timeline.sleep(Math.min(2_000, untilMs - this.#world.nowMs));
  }

  #progress(run: SimRun): AgentProgress {
    const lastEvent = run.events.length;
    return run.report === null
      ? { kind: "live", lastEvent }
      : { kind: "finished", lastEvent, report: run.report };
  }

  #finish(run: SimRun, facts: Partial<RunReport>): void {
    if (run.report !== null || !this.runs.has(run.executionId)) return;
    this.#emit(run, { type: "agent_exited", exitCode: 0, signal: null });
    this.#endProcess(run);
    const { nowMs, forge } = this.#world;
    run.report = { ...goodReport(run, forge), ...facts, durationMs: nowMs - run.startedAtMs };
    this.#ring(run);
    this.onEnd(run.taskId);
  }

  #endProcess(run: SimRun): void {
    run.isAlive = false;
    run.endedAtMs = this.#world.nowMs;
    this.version += 1;
  }

  #emit(run: SimRun, event: AgentEvent): void {
    if (run.report !== null || !run.isAlive) return;
    run.events.push({ number: run.events.length + 1, atMs: this.#world.nowMs, event });
    if (this.#world.chance.happens(0.2)) this.#ring(run);
  }

  #ring(run: SimRun): void {
    const { doorbell } = run.request;
    if (doorbell === null) return;
    const lateMs = this.#world.strikes("late_ring") ? this.#world.chance.below(600_000) : 5;
    this.#world.timeline.after(lateMs, () => this.#world.ring(run.taskId, doorbell.token));
  }

  #find({ executionId, fence }: AgentHandle): SimRun {
    this.#refuseIfPartitioned();
    const run = this.runs.get(executionId);
    if (run === undefined) throw new SwitchyardError("run_not_found", "There is no such run.");
    if (fence < run.fence) throw new SwitchyardError("stale_fence", "A higher fence is known.");
    return run;
  }
}
