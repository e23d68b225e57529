import type { Runner } from "../../../orchestrator/worker/domain/ports/runner.ts";
import type { NumberedEvent } from "../../../shared/contracts/agentEvent.ts";
import type {
  PatchReport,
  PatchRunRequest,
  RunStatus,
  ValidationReport,
} from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { shaOf } from "./shaOf.ts";
import { streamOf } from "./simArchives.ts";
import { type Change, isSame, isThere } from "./treeChanges.ts";
import type { World } from "./world.ts";

type SimPatchRun = {
  id: string;
  request: PatchRunRequest;
  /** What its set makes of the tree of its base; null = it does not apply there. */
  change: Change | null;
  events: NumberedEvent[];
  report: PatchReport | null;
  isValidatedElsewhere: boolean;
};

/** The runner of patches: applies and validates one set at a time for each id. */
export class SimPatches {
  readonly runs = new Map<string, SimPatchRun>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  runner(): Runner {
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
        const run = this.#find(id);
        this.#end(run, { kind: "stopped", by: "cancel" });
        return statusOf(run);
      },
      patchResult: async (id) => {
        const run = this.#find(id);
        return { ...statusOf(run), report: run.report };
      },
      takeOutput: async (id, command, store) => {
        const text = outputOf(this.#find(id).id, command);
        await store(text.length, streamOf(text));
      },
    };
  }

  /** The base has moved and the patch set was made anew for it: its runs come to another tree. */
  remake(patchSetId: string, treeId: string): void {
    for (const run of this.runs.values())
      if (run.id.startsWith(`${patchSetId}-`) && run.report?.kind === "applied")
        run.report = { ...run.report, treeId };
  }

  /** Any run of a set: all of them have its change. */
  ofSet(patchSetId: string): SimPatchRun | undefined {
    return [...this.runs.values()].find(({ id }) => id.startsWith(`${patchSetId}-`));
  }

  #no(): never {
    throw new SwitchyardError("route_not_found", "This runner applies patches.");
  }

  async #start(id: string, request: PatchRunRequest): Promise<RunStatus> {
    if (this.#world.isPartitioned())
      throw new SwitchyardError("runner_unreachable", "The network is split.");
    const known = this.runs.get(id);
    if (known !== undefined) return statusOf(known);
    if (this.#world.chance.happens(0.05) && this.#world.isFaulty())
      throw new SwitchyardError("busy", "Another patch set is being applied.");
    const isValidatedElsewhere = this.#world.validators.areUsed;
    const run: SimPatchRun = {
      ...{ id, request, isValidatedElsewhere },
      change: null,
      events: [],
      report: null,
    };
    this.runs.set(id, run);
    this.#work(run, await this.#targetOf(run));
    return statusOf(run);
  }

  #work(run: SimPatchRun, target: Target): void {
    const { timeline, chance } = this.#world;
    if (this.#world.strikes("patch_refused")) {
      const code = chance.happens(0.5) ? ("stale" as const) : ("bad_path" as const);
      timeline.after(500, () => this.#end(run, refusal(code)));
      return;
    }
    if (target.kind === "refused") {
      timeline.after(500, () => this.#end(run, target));
      return;
    }
    const { treeId } = target;
    const validatesMs = chance.between(1_000, 60_000);
    const failed = this.#world.strikes("validation_failed");
    timeline.after(400, () => {
      if (run.report !== null) return;
      const event = { type: "patch_applied" as const, treeId, files: 1 };
      run.events.push({ number: run.events.length + 1, atMs: this.#world.nowMs, event });
    });
    timeline.after(400 + validatesMs, () => this.#end(run, applied(run, target, failed)));
    if (this.#world.strikes("runner_shut_down"))
      timeline.after(chance.below(validatesMs), () =>
        this.#end(run, { kind: "stopped", by: "shutdown" }),
      );
    if (this.#world.strikes("runner_died"))
      timeline.after(chance.below(validatesMs), () => this.runs.delete(run.id));
  }

  /** As the real one: merged with what it is brought onto, which has to go on from its base. */
  async #targetOf(run: SimPatchRun): Promise<Target> {
    const { forge, trees } = this.#world;
    const { set, source, onto } = run.request;
    const base = forge.treeOf(source.commit ?? null);
    const onBase = await trees.apply(set, base, null);
    if (onBase.kind === "refused") return onBase;
    run.change = { from: base, to: onBase.tree };
    if (onto === undefined) return { ...onBase, alreadyApplied: false };
    if (!forge.isOn(onto, source.commit ?? "")) return refusal("conflict");
    const now = forge.treeOf(onto);
    if (isThere(run.change, now))
      return { kind: "made", treeId: trees.put(now), alreadyApplied: true };
    const made = await trees.apply(set, base, now);
    if (made.kind === "refused") return made;
    return { ...made, alreadyApplied: isSame(made.tree, now) };
  }

  #end(run: SimPatchRun, report: PatchReport): void {
    run.report ??= report;
  }

  #find(id: string): SimPatchRun {
    if (this.#world.isPartitioned())
      throw new SwitchyardError("runner_unreachable", "The network is split.");
    const run = this.runs.get(id);
    if (run === undefined) throw new SwitchyardError("run_not_found", "There is no such run.");
    return run;
  }
}

const statusOf = (run: SimPatchRun): RunStatus => ({
  id: run.id,
  fence: run.request.fence,
  state: run.report === null ? "live" : "finished",
  lastEvent: run.events.length,
});

type Target =
  | { kind: "made"; treeId: string; alreadyApplied: boolean }
  | Extract<PatchReport, { kind: "refused" }>;

/** What the runner says of a set that is refused by chance, or since the branch was rewritten. */
export const refusedAtRandom = "It does not fit.";

const refusal = (
  code: "stale" | "bad_path" | "conflict",
): Extract<PatchReport, { kind: "refused" }> => ({
  kind: "refused",
  faults: [{ index: 0, file: "src/a.js", code, message: refusedAtRandom }],
});

const applied = (
  run: SimPatchRun,
  { treeId, alreadyApplied }: Extract<Target, { kind: "made" }>,
  failed: boolean,
): PatchReport => ({
  kind: "applied",
  treeId,
  alreadyApplied,
  baseCommit: run.request.source.commit ?? "",
  validation: run.isValidatedElsewhere
    ? { status: "none", commands: [] }
    : verdictsOn(run.id, failed),
});

/** What the one command of every project comes to in a run. */
export const verdictsOn = (id: string, failed: boolean): ValidationReport => ({
  status: failed ? "failed" : "passed",
  commands: [
    {
      name: "npm test",
      argv: ["npm", "test"],
      status: failed ? "failed" : "passed",
      exitCode: failed ? 1 : 0,
      durationMs: 5,
      tail: "",
      ...(printsMuch(id) ? { output: { bytes: outputOf(id, 0).length, cut: false } } : {}),
    },
  ],
});

/** The commands of every other run print more than a tail holds. */
const printsMuch = (id: string): boolean => Number.parseInt(shaOf(id).slice(0, 2), 16) % 2 === 0;

export const outputOf = (id: string, command: number): string =>
  `${id} printed this for command ${command}`;
