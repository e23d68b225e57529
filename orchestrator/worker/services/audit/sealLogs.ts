import { genesis, sealOf } from "../../domain/auditChain.ts";
import type { AnchorStore } from "../../domain/ports/anchorStore.ts";
import type {
  AuditStore,
  ChainCursor,
  ChainState,
  SealHead,
} from "../../domain/ports/auditStore.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";

export type SealDeps = { audit: AuditStore; anchors: AnchorStore; clock: Clock; log: Log };

const chainsPerPage = 500;
const maxChainsPerTick = 50_000;
const maxSealsPerTick = 200;
const maxAnchorsPerTick = 100;
/** One seal is one row, which holds a digest of 64 characters a line. */
export const maxLinesPerSeal = 256;

/**
 * Seals the lines that were written since the last tick, the longest unsealed chain first, and puts the heads where
 * nobody overwrites them, once a day. Two that run at once seal nothing twice.
 */
export async function sealLogs(deps: SealDeps): Promise<{ seals: number; anchors: number }> {
  const chains = await chainsToTend(deps);
  const behind = chains
    .filter(({ unsealedSinceMs }) => unsealedSinceMs !== null)
    .sort((a, b) => (a.unsealedSinceMs ?? 0) - (b.unsealedSinceMs ?? 0));
  const heads = new Map<ChainState, SealHead>();
  let seals = 0;
  for (const chain of behind) {
    if (seals >= maxSealsPerTick) {
      deps.log.warn("audit.behind", { chains: behind.length, seals });
      break;
    }
    seals += await sealChain(deps, chain, maxSealsPerTick - seals, heads);
  }
  return { seals, anchors: await anchorHeads(deps, chains, heads) };
}

/** The chains with an unsealed line or with a head that no anchor holds yet. */
async function chainsToTend({ audit, log }: SealDeps): Promise<ChainState[]> {
  const found: ChainState[] = [];
  let after: ChainCursor | null = null;
  for (let looked = 0; looked < maxChainsPerTick; looked += chainsPerPage) {
    const page = await audit.chains(after, chainsPerPage);
    found.push(...page.chains);
    if (page.next === null) return found;
    after = page.next;
  }
  log.warn("audit.too_many_chains", { looked: maxChainsPerTick });
  return found;
}

/** Answers how many seals it made. A lost one means that another sealer is at work on the chain. */
async function sealChain(
  deps: SealDeps,
  chain: ChainState,
  maxSeals: number,
  heads: Map<ChainState, SealHead>,
): Promise<number> {
  let { head } = chain;
  for (let made = 0; made < maxSeals; made += 1) {
    const lines = await deps.audit.linesAfter(chain, head.lastSeq, maxLinesPerSeal);
    const limits = { limit: maxLinesPerSeal, nowMs: deps.clock.nowMs() };
    const seal = await sealOf(chain, head, lines, limits);
    if (seal === null) return made;
    if ((await deps.audit.appendSeal(seal, head.hash)).kind === "lost") return made;
    head = seal;
    heads.set(chain, head);
    if (lines.length < maxLinesPerSeal) return made + 1;
  }
  return maxSeals;
}

/** The first head of a day that no anchor holds yet. What stands there already, of a tick that was cut off, counts. */
async function anchorHeads(
  deps: SealDeps,
  chains: readonly ChainState[],
  heads: ReadonlyMap<ChainState, SealHead>,
): Promise<number> {
  const day = dayOf(deps.clock.nowMs());
  let placed = 0;
  for (const chain of chains) {
    const head = heads.get(chain) ?? chain.head;
    const isHeld = head.number <= (chain.anchored?.number ?? genesis.number);
    if (isHeld || day <= (chain.anchored?.day ?? "")) continue;
    if (placed >= maxAnchorsPerTick) break;
    const { organizationId, projectId } = chain;
    const { number, hash } = head;
    const there = await deps.anchors.place({ organizationId, projectId, day, number, hash });
    await deps.audit.noteAnchor(chain, day, there);
    placed += 1;
  }
  return placed;
}

const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
