import type { Runner } from "../../../orchestrator/worker/domain/ports/runner.ts";
import type { ValidatorOf } from "../../../orchestrator/worker/services/patch-manager/validators.ts";
import type { NumberedEvent } from "../../../shared/contracts/agentEvent.ts";
import type {
  PatchReport,
  PatchRunRequest,
  RunStatus,
  ValidationCommand,
} from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { streamOf } from "./simArchives.ts";
import { outputOf, verdictsOn } from "./simPatches.ts";
import type { World } from "./world.ts";

type SimContainer = {
  id: string;
  request: PatchRunRequest;
  events: NumberedEvent[];
  report: PatchReport | null;
};

/** Containers that try patches: each runs one set, and may die, hang, or answer when nobody waits any more. */
export class SimValidators {
  /** Those that are there, by the id of their run. */
  readonly open = new Map<string, SimContainer>();
  /** All that was ever told of a tree, by run: what is gone is remembered. */
  readonly told = new Map<string, { treeId: string; isPassed: boolean }>();
  readonly #closed = new Set<string>();
  readonly #world: World;
  /** Otherwise commands run on the runner of patches. */
  readonly areUsed: boolean;

  constructor(world: World, areUsed: boolean) {
    this.#world = world;
    this.areUsed = areUsed;
  }

  validatorOf(through: (runner: Runner) => Runner): ValidatorOf {
    const runner = through(this.#runner());
    return () => (this.areUsed ? { kind: "containers", runner } : { kind: "runner_of_patches" });
  }

  /** Of every project; the runner of patches of a simulation runs one that nobody has named. */
  commands(): ValidationCommand[] {
    return this.areUsed ? [{ name: "npm test", argv: ["npm", "test"], timeoutMs: 300_000 }] : [];
  }

  #runner(): Runner {
    return {
      health: async () => this.#no(),
      startRun: async () => this.#no(),
      runResult: async () => this.#no(),
      startPatch: async (id, request) => this.#start(id, request),
      follow: async (_kind, id, { after, onEvents }) => {
        const fresh = this.#find(id).events.slice(after);
        if (fresh.length > 0) onEvents(fresh);
      },
      cancel: async (_kind, id) => {
        const container = this.#find(id);
        this.#end(container, { kind: "stopped", by: "cancel" });
        return statusOf(container);
      },
      patchResult: async (id) => {
        const container = this.#find(id);
        return { ...statusOf(container), report: container.report };
      },
      takeOutput: async (id, command, store) => {
        const text = outputOf(this.#find(id).id, command);
        await store(text.length, streamOf(text));
      },
      release: async (id) => {
        this.#reach();
        this.#closed.add(id);
        this.open.delete(id);
      },
    };
  }

  #no(): never {
    throw new SwitchyardError("route_not_found", "These containers try patches.");
  }

  #reach(): void {
    if (this.#world.isPartitioned())
      throw new SwitchyardError("runner_unreachable", "The network is split.");
  }

  #start(id: string, request: PatchRunRequest): RunStatus {
    this.#reach();
    if (this.#closed.has(id))
      throw new SwitchyardError("stale_fence", "The run was ended before it was started.");
    const known = this.open.get(id);
    if (known !== undefined) return statusOf(known);
    const container: SimContainer = { id, request, events: [], report: null };
    this.open.set(id, container);
    this.#live(container);
    return statusOf(container);
  }

  #live(container: SimContainer): void {
    const { timeline, chance } = this.#world;
    if (this.#world.strikes("agent_hangs")) return;
    const isLate = this.#world.strikes("agent_silent");
    const lastsMs = isLate ? chance.between(20, 60) * 60_000 : chance.between(1_000, 60_000);
    const failed = this.#world.strikes("validation_failed");
    const treeId = container.request.expectedTreeId ?? "";
    timeline.after(500, () => this.#emit(container, treeId));
    timeline.after(lastsMs, () =>
      this.#end(container, {
        kind: "applied",
        treeId,
        baseCommit: container.request.source.commit ?? "",
        validation: verdictsOn(container.id, failed),
      }),
    );
    if (this.#world.strikes("runner_shut_down"))
      timeline.after(chance.below(lastsMs), () =>
        this.#end(container, { kind: "stopped", by: "shutdown" }),
      );
    if (this.#world.strikes("runner_died"))
      timeline.after(chance.below(lastsMs), () => {
        this.#closed.add(container.id);
        this.open.delete(container.id);
      });
  }

  #emit({ events }: SimContainer, treeId: string): void {
    const event = { type: "patch_applied" as const, treeId, files: 1 };
    events.push({ number: events.length + 1, atMs: this.#world.nowMs, event });
  }

  #end(container: SimContainer, report: PatchReport): void {
    if (container.report !== null || !this.open.has(container.id)) return;
    container.report = report;
    if (report.kind === "applied")
      this.told.set(container.id, {
        treeId: report.treeId,
        isPassed: report.validation.status === "passed",
      });
  }

  #find(id: string): SimContainer {
    this.#reach();
    const container = this.open.get(id);
    if (container === undefined)
      throw new SwitchyardError("run_not_found", "The container of the run is gone.");
    return container;
  }
}

const statusOf = ({ id, request, report, events }: SimContainer): RunStatus => ({
  id,
  fence: request.fence,
  state: report === null ? "live" : "finished",
  lastEvent: events.length,
});
