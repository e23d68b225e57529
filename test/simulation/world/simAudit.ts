import { parseAuditTrailer } from "../../../orchestrator/worker/domain/auditChain.ts";
import type { Evidence } from "../../../orchestrator/worker/domain/auditFaults.ts";
import type { Anchor, AnchorStore } from "../../../orchestrator/worker/domain/ports/anchorStore.ts";
import type { AuditStore, ChainRef } from "../../../orchestrator/worker/domain/ports/auditStore.ts";
import { sealLogs } from "../../../orchestrator/worker/services/audit/sealLogs.ts";
import { anchorsOf, verifyLogs } from "../../../orchestrator/worker/services/audit/verifyLogs.ts";
import { type Chance, chanceOf } from "./chance.ts";
import type { Violation } from "./invariants.ts";
import type { World } from "./world.ts";

const dayMs = 86_400_000;

/**
 * The sealer of a history. It has a chance of its own: what strikes it, and how often it runs, changes nothing of
 * what the same seed does to the rest.
 */
export class SimAudit {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #anchors = new Map<string, Anchor>();

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#chance = chanceOf(seed ^ 0x5ea1);
  }

  /** The chains, behind a connection that breaks before or after a write. */
  readonly store = (): AuditStore => {
    const { audit } = this.#world.stores;
    return {
      ...audit,
      appendSeal: (seal, previousHash) =>
        this.#maybeCut(() => this.#twice(() => audit.appendSeal(seal, previousHash))),
      noteAnchor: (chain, day, head) => this.#maybeCut(() => audit.noteAnchor(chain, day, head)),
    };
  };

  readonly anchors: AnchorStore = {
    place: async (anchor) => {
      const key = `${anchor.organizationId}/${anchor.projectId}/${anchor.day}`;
      const there = this.#anchors.get(key) ?? anchor;
      this.#anchors.set(key, there);
      return there;
    },
    projects: async () => [],
    ofChain: async ({ organizationId, projectId }) =>
      [...this.#anchors.values()].filter(
        (anchor) => anchor.organizationId === organizationId && anchor.projectId === projectId,
      ),
  };

  /** When all is over, two ticks a day later seal and anchor what is left; then every chain must verify. */
  async checkAtTheEnd(organizations: readonly string[]): Promise<Violation[]> {
    const { stores, nowMs } = this.#world;
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const clock = { nowMs: () => nowMs + dayMs };
    const deps = { audit: stores.audit, anchors: this.anchors, clock, log };
    await Promise.all([sealLogs(deps), sealLogs(deps)]);
    const found: Violation[] = [];
    for (const organizationId of organizations) found.push(...(await this.#verify(organizationId)));
    return found;
  }

  async #verify(organizationId: string): Promise<Violation[]> {
    const evidenceOf = async (chain: ChainRef): Promise<Evidence[]> => [
      ...(await anchorsOf(this.anchors)(chain)),
      ...this.#trailers().filter(({ projectId }) => projectId === chain.projectId),
    ];
    const { chains, strays } = await verifyLogs(this.#world.stores.audit, organizationId, {
      evidenceOf,
    });
    const faults = [...strays, ...chains.flatMap((chain) => chain.faults)];
    return [
      ...faults.map(({ message }) => ({ invariant: "audit", what: message })),
      ...chains
        .filter(({ unsealed, lines }) => unsealed > 0 || lines === 0)
        .map(({ projectId, unsealed }) => ({
          invariant: "audit",
          what: `${unsealed} lines of ${projectId} were never sealed`,
        })),
    ];
  }

  #trailers(): Evidence[] {
    return [...this.#world.forge.commits.values()].flatMap(({ sha, audit }) => {
      const parsed = audit === null ? null : parseAuditTrailer(audit);
      return parsed === null ? [] : [{ source: `commit ${sha}`, ...parsed }];
    });
  }

  /** Another sealer makes the same seal at the same moment. */
  async #twice<T>(append: () => Promise<T>): Promise<T> {
    if (!this.#world.isFaulty() || !this.#chance.happens(0.2)) return append();
    const [first, second] = await Promise.all([append(), append()]);
    return this.#chance.happens(0.5) ? first : second;
  }

  async #maybeCut<T>(write: () => Promise<T>): Promise<T> {
    const strikes = this.#world.isFaulty() && this.#chance.happens(0.2);
    if (strikes && this.#chance.happens(0.5)) throw new Error("The connection broke before it.");
    const answer = await write();
    if (strikes) throw new Error("The connection broke after it.");
    return answer;
  }
}
