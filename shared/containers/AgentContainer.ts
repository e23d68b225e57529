import { Container } from "@cloudflare/containers";
import type { ContainerPlan, JudgedRequest, OpenedContainer } from "./containerPlan.ts";
import { type EgressDecision, type EgressRequest, judgeEgress } from "./egressRules.ts";
import { newToken, newTokenOfRun } from "./tokens.ts";

const runnerPort = 8080;
/** Between the signal that lets the runner flush its events and the one that nothing survives. */
const flushSeconds = 30;
const mostDenialsTold = 100;

type ContainerRecord = {
  phase: "open" | "closed";
  plan: ContainerPlan;
  runnerToken: string;
  token: string;
  /** The run was asked for: if the container is gone now, so is the run. */
  isAsked: boolean;
  denied: string[];
};

/**
 * The container of one execution. It runs from `open` to `close`, or to the end of its lifetime: idleness does not
 * end it, since an agent that thinks is silent. Only the supervisor talks to it; no client's stream ever does.
 * The orchestrator's worker and the workers of factories declare it alike, each with an image of its own.
 */
export class AgentContainer extends Container {
  override defaultPort = runnerPort;
  override sleepAfter = "1h";
  override enableInternet = false;
  override interceptHttps = true;

  async open(plan: ContainerPlan): Promise<OpenedContainer> {
    const known = this.#read();
    if (known?.phase === "closed") return { kind: "closed" };
    if (known?.isAsked && !this.#isRunning()) return { kind: "gone" };
    const record = known ?? this.#begin(plan);
    if (known === null) await this.schedule(Math.ceil(plan.lifetimeMs / 1000), "endOfLife");
    try {
      await this.startAndWaitForPorts({
        ports: runnerPort,
        startOptions: {
          envVars: {
            SWITCHYARD_RUNNER_TOKEN: record.runnerToken,
            SWITCHYARD_RUNNER_ROLE: record.plan.role ?? "agents",
          },
          enableInternet: false,
        },
      });
    } catch (error) {
      return { kind: "not_started", message: error instanceof Error ? error.message : "unknown" };
    }
    return { kind: "open", token: record.token };
  }

  async close(): Promise<void> {
    const record = this.#read();
    if (record !== null) this.#write({ ...record, phase: "closed", token: "", runnerToken: "" });
    else this.ctx.storage.kv.put("record", { phase: "closed" });
    this.deleteSchedules("endOfLife");
    if (this.#isRunning()) await this.destroy();
  }

  /** Requests of runner/1. A container that is not there is not started for one: its run is gone. */
  override async fetch(request: Request): Promise<Response> {
    const record = this.#read();
    if (record?.phase !== "open" || !this.#isRunning()) return noSuchRun();
    const headers = new Headers(request.headers);
    headers.set("authorization", `Bearer ${record.runnerToken}`);
    if (request.method === "PUT" && /^\/(runs|patches)\/[^/]+$/.test(new URL(request.url).pathname))
      this.#write({ ...record, isAsked: true });
    try {
      return await this.#ask(new Request(request, { headers }));
    } catch (error) {
      if (!this.#isRunning()) return noSuchRun();
      throw error;
    }
  }

  /** What may become of a request that leaves the container; each host that is denied becomes an event of the run. */
  async judge(request: EgressRequest): Promise<JudgedRequest> {
    const record = this.#read();
    const egress = record?.phase === "open" ? { ...record.plan, token: record.token } : null;
    const decision = judgeEgress(egress, request);
    if (decision.kind === "denied" && record?.phase === "open")
      this.ctx.waitUntil(this.#tellDenied(record, decision));
    return { executionId: record?.plan?.executionId ?? null, decision };
  }

  /** Called by its schedule. The runner gets the time to flush what it knows. */
  async endOfLife(): Promise<void> {
    await this.schedule(flushSeconds, "close");
    await this.stop("SIGTERM");
  }

  /** Nothing: what is idle here may be an agent at work. */
  override async onActivityExpired(): Promise<void> {}

  async #tellDenied(
    record: ContainerRecord,
    { host, because }: Extract<EgressDecision, { kind: "denied" }>,
  ): Promise<void> {
    const name = host.replaceAll(record.token, "[secret]").slice(0, 255);
    const denial = `${name} ${because}`;
    if (record.denied.includes(denial) || record.denied.length >= mostDenialsTold) return;
    this.#write({ ...record, denied: [...record.denied, denial] });
    const { executionId, role } = record.plan;
    const kind = role === "patches" ? "patches" : "runs";
    const url = `http://container/${kind}/${executionId}/denied-hosts`;
    const response = await this.#ask(
      new Request(url, {
        method: "POST",
        headers: { authorization: `Bearer ${record.runnerToken}` },
        body: JSON.stringify({ host: name, because }),
      }),
    ).catch(() => null);
    await response?.body?.cancel();
  }

  /** Past the library's own proxy, which counts requests and never forgets one that was cut off. */
  #ask(request: Request): Promise<Response> {
    const { container } = this.ctx;
    if (container === undefined) throw new Error("this object has no container");
    return container.getTcpPort(runnerPort).fetch(request);
  }

  #isRunning = (): boolean => this.ctx.container?.running ?? false;

  #begin(plan: ContainerPlan): ContainerRecord {
    const record: ContainerRecord = {
      phase: "open",
      plan,
      runnerToken: newToken(),
      token: plan.token ?? newTokenOfRun(),
      isAsked: false,
      denied: [],
    };
    this.#write(record);
    return record;
  }

  #read = (): ContainerRecord | null => this.ctx.storage.kv.get<ContainerRecord>("record") ?? null;

  #write = (record: ContainerRecord): void => this.ctx.storage.kv.put("record", record);
}

const noSuchRun = (): Response =>
  Response.json(
    { ok: false, error: { code: "run_not_found", message: "The container of the run is gone." } },
    { status: 404 },
  );
