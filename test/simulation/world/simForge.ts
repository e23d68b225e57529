import type { Forge } from "../../../orchestrator/worker/domain/ports/runner.ts";
import type { CommitRequest } from "../../../shared/contracts/forgeRefs.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { faultsOfMove, leftBehind } from "./branchFaults.ts";
import { shaOf } from "./shaOf.ts";
import type { Change, Tree } from "./treeChanges.ts";
import type { World } from "./world.ts";

export type SimCommit = {
  sha: string;
  parent: string | null;
  treeId: string;
  taskId: string | null;
  /** Its trailer with the head of the audit chain. */
  audit: string | null;
  /** What its patch set makes of the base that it was made for; null = it was committed by hand. */
  change: Change | null;
};

/** What somebody commits by hand. */
export type Push = { parent: string; treeId: string };

/** The repository that patches are delivered to. */
export class SimForge {
  readonly refs = new Map<string, string>();
  readonly commits = new Map<string, SimCommit>();
  /** Every successful move of a ref, oldest first. */
  readonly moves: { ref: string; from: string | null; to: string; by: "core" | "hand" }[] = [];
  /** What was wrong with a move that the core has made. */
  readonly faults: string[] = [];
  /** Commits of the core that a later move of its own went on without, as somebody had taken them off. */
  readonly leftBehind = new Map<string, string>();
  version = 0;
  /** Somebody is to be quicker than the first delivery. */
  isRaceLeft: boolean;
  readonly #world: World;

  constructor(world: World, isFirstDeliveryRaced = false) {
    this.#world = world;
    this.isRaceLeft = isFirstDeliveryRaced;
  }

  readonly readRef: Forge["readRef"] = async (source, ref) => {
    this.#reach();
    return this.refs.get(key(source, ref)) ?? null;
  };

  readonly commit: Forge["commit"] = async (request) => {
    this.#reach();
    const sha = shaOf(JSON.stringify({ ...request, message: withoutHash(request.message) }));
    this.commits.set(sha, {
      sha,
      parent: request.parent,
      treeId: request.treeId,
      taskId: taskOf(request),
      change: this.#world.patches.runs.get(request.patchSetId)?.change ?? null,
      audit: /^Switchyard-Audit: (.*)$/m.exec(request.message)?.[1] ?? null,
    });
    return sha;
  };

  readonly moveRef: Forge["moveRef"] = async (source, ref, from, to) => {
    this.#reach();
    const at = key(source, ref);
    const current = this.refs.get(at) ?? null;
    if (current !== from) return { kind: "lost", current, contains: this.#contains(current, to) };
    this.faults.push(...faultsOfMove(this, at, from, to));
    for (const sha of leftBehind(this, at, to)) this.leftBehind.set(sha, `${at} at ${to}`);
    this.#move(at, to, "core");
    return { kind: "moved" };
  };

  readonly goesOn: Forge["goesOn"] = async (_source, commit, from) => {
    this.#reach();
    return this.isOn(commit, from);
  };

  /** What the core is given of it. */
  port(): Forge {
    const { readRef, readFiles, commit, moveRef, goesOn } = this;
    return { readRef, readFiles, commit, moveRef, goesOn };
  }

  readonly readFiles: Forge["readFiles"] = async (_source, commit, paths) => {
    this.#reach();
    const tree = this.treeOf(commit);
    return new Map(
      paths.flatMap((path) => {
        const file = this.#world.trees.fileOf(tree, path);
        return file === undefined ? [] : [[path, { kind: "file" as const, file }]];
      }),
    );
  };

  /** The files of a commit; of one that nobody has made, those of the first. */
  treeOf(sha: string | null): Tree {
    return this.#world.trees.of(this.commits.get(sha ?? "")?.treeId);
  }

  tipOf(source: { kind: string; path?: string }, ref: string): string | null {
    return this.refs.get(key(source, ref)) ?? null;
  }

  /** A person commits to the branch of an order. */
  pushByHand(source: { kind: string; path?: string }, ref: string, { parent, treeId }: Push): void {
    const at = key(source, ref);
    const sha = shaOf(`by hand on ${at} after ${parent}: ${treeId}`);
    this.commits.set(sha, { sha, parent, treeId, change: null, taskId: null, audit: null });
    this.#move(at, sha, "hand");
  }

  /** Whether a commit is on a branch, as its tip or before it. */
  readonly isOn = (tip: string | null, sha: string): boolean =>
    tip === sha || this.#contains(tip, sha);

  #contains(tip: string | null, sha: string): boolean {
    for (let at = tip; at !== null; at = this.commits.get(at)?.parent ?? null)
      if (at === sha) return true;
    return false;
  }

  #move(at: string, to: string, by: "core" | "hand"): void {
    this.moves.push({ ref: at, from: this.refs.get(at) ?? null, to, by });
    this.refs.set(at, to);
    this.version += 1;
    this.#world.trace.tell(this.#world.nowMs, "repository", `${at} → ${to.slice(0, 8)}`);
  }

  #reach(): void {
    if (this.#world.isPartitioned())
      throw new SwitchyardError("runner_unreachable", "The network is split.");
  }
}

const key = (source: { kind: string; path?: string }, ref: string): string =>
  `${source.kind === "local" ? source.path : source.kind}:${ref}`;

/** The ids of log lines are other ones in memory and in SQL, and both must tell one story. */
const withoutHash = (message: string): string =>
  message.replace(/^(Switchyard-Audit: .*):.*$/m, "$1");

/** Who a commit is for stands in its message. */
const taskOf = ({ message }: CommitRequest): string | null =>
  /^Switchyard-Task: (.*)$/m.exec(message)?.[1] ?? null;
