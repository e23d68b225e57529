import type { ContainerPlan, OpenedContainer } from "../../shared/containers/containerPlan.ts";
import { FakeRunner } from "../fakes/fakeRunner.ts";
import type { PatchControl, RunControl } from "../fakes/fakeRuns.ts";

/** The runner in the container of one execution, and what became of the container. */
export class FakeContainer {
  readonly runner = new FakeRunner("http://container", "inner-token");
  isClosed = false;
  bundle: string | null = null;
  /** The session that it was given, and the one that it keeps for who asks. */
  given: string | null = null;
  kept: string | null = null;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a test that only looks answers nothing.
type MaybeAnswer = Response | void;

/** Containers in memory, in the place of the binding. A run in them does what the test says. */
export class FakeContainers {
  readonly all = new Map<string, FakeContainer>();
  /** Every request and every end, in order. */
  readonly log: string[] = [];
  onRun: (run: RunControl, container: FakeContainer) => void = (run) => run.finish();
  onPatch: (run: PatchControl, id: string) => void = (run) => run.finish();
  /** What is said when a container is asked for, and of a request of runner/1 in one: nothing, or another answer. */
  onOpen: (id: string) => OpenedContainer | null = () => null;
  onAsk: (request: string) => Response | undefined = () => undefined;
  /** Whether the answer to a request, which has had its effect, is lost. */
  losesAnswer: (request: string) => boolean = () => false;
  /** What each was started with. */
  readonly plans = new Map<string, ContainerPlan>();
  readonly #lost = new Set<string>();
  /** What is done when a session is asked for, before it is handed over: nothing, or another answer. */
  onTake: () => MaybeAnswer | Promise<MaybeAnswer> = () => {};
  onClose: () => void | Promise<void> = () => {};

  getByName(executionId: string) {
    return {
      open: async (plan: ContainerPlan) => {
        const odd = this.onOpen(executionId);
        if (odd !== null) return odd;
        if (this.#lost.has(executionId)) return { kind: "gone" };
        this.plans.set(executionId, plan);
        const container = this.all.get(executionId) ?? new FakeContainer();
        this.all.set(executionId, container);
        container.runner.onRun = (run) => this.onRun(run, container);
        container.runner.onPatch = (run) => this.onPatch(run, executionId);
        return { kind: container.isClosed ? "closed" : "open", token: "switchyard-run-token" };
      },
      close: async () => {
        this.log.push("close");
        await this.onClose();
        const container = this.all.get(executionId);
        if (container !== undefined) container.isClosed = true;
      },
      fetch: (url: string, init: RequestInit) => this.#fetch(executionId, new Request(url, init)),
    };
  }

  /** The machine under it is gone. */
  lose(executionId: string): void {
    this.#lost.add(executionId);
  }

  /** In the order in which they were opened. */
  container(index: number): FakeContainer {
    const container = [...this.all.values()][index];
    if (container === undefined) throw new Error(`there is no container ${index}`);
    return container;
  }

  async #fetch(executionId: string, request: Request): Promise<Response> {
    const container = this.all.get(executionId);
    const { pathname } = new URL(request.url);
    if (!pathname.endsWith("/events") && !pathname.endsWith("/result"))
      this.log.push(`${request.method} ${pathname.replace(executionId, "x")}`);
    const odd = this.onAsk(`${request.method} ${pathname}`);
    if (odd !== undefined) return odd;
    const isGone = container?.isClosed !== false || this.#lost.has(executionId);
    if (container === undefined || isGone) return refusal("run_not_found", 404);
    if (pathname.startsWith("/bundles/")) {
      container.bundle = await textOf(request);
      return stored(container.bundle);
    }
    if (pathname.endsWith("/session")) return this.#session(container, request);
    const headers = new Headers(request.headers);
    headers.set("authorization", `Bearer ${container.runner.token}`);
    const answer = await container.runner.fetch(new Request(request, { headers }));
    return this.losesAnswer(`${request.method} ${pathname}`) ? refusal("internal", 500) : answer;
  }

  async #session(container: FakeContainer, request: Request): Promise<Response> {
    if (request.method === "PUT") {
      container.given = await textOf(request);
      return Response.json({ ok: true, value: { stored: true } });
    }
    const odd = await this.onTake();
    if (odd instanceof Response) return odd;
    if (container.kept === null) return refusal("session_not_found", 404);
    return new Response(container.kept, {
      headers: { "x-session-bytes": String(new TextEncoder().encode(container.kept).length) },
    });
  }
}

let containers: FakeContainers | null = null;

/** From now on agents work in these containers, in this file. */
export function useContainers(): FakeContainers {
  containers = new FakeContainers();
  return containers;
}

export const withContainers = (env: WorkerEnv): WorkerEnv =>
  containers === null
    ? env
    : {
        ...env,
        AGENT_RUNTIME: "container",
        CONTAINER_AGENTS: JSON.stringify(["gemini"]),
        AGENT_CONTAINER: containers as unknown as WorkerEnv["AGENT_CONTAINER"],
      };

const textOf = async (request: Request): Promise<string> =>
  new TextDecoder().decode(await request.arrayBuffer());

export const refusal = (code: string, status: number): Response =>
  Response.json({ ok: false, error: { code, message: "no" } }, { status });

const stored = (text: string): Response =>
  Response.json({ ok: true, value: { bytes: text.length } });
