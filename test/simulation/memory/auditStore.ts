import { genesis } from "../../../orchestrator/worker/domain/auditChain.ts";
import type {
  AuditLine,
  AuditStore,
  ChainRef,
  ChainState,
} from "../../../orchestrator/worker/domain/ports/auditStore.ts";
import { byText } from "./put.ts";
import { chainKey, type LogRow, type Tables } from "./tables.ts";

/** The audit trail's chains in memory. */
export const memoryAuditStore = (tables: Tables): AuditStore => ({
  async chains(after, limit) {
    const all = allChains(tables);
    const behind = after === null ? all : all.filter((chain) => isBehind(chain, after));
    const page = behind.slice(0, limit);
    const last = page.at(-1);
    const next = behind.length > limit && last !== undefined ? last : null;
    return { chains: page.map((chain) => stateOf(tables, chain)), next };
  },

  chainsOf: async (organizationId) =>
    allChains(tables).filter((chain) => chain.organizationId === organizationId),

  seals: async (chain, afterNumber, limit) =>
    sealsOf(tables, chain)
      .filter(({ number }) => number > afterNumber)
      .slice(0, limit),

  linesBetween: async (chain, first, last) =>
    linesOf(tables, chain).filter(({ seq }) => seq >= first && seq <= last),

  linesAfter: async (chain, afterSeq, limit) =>
    (tables.index.chainLines.get(chainKey(chain)) ?? [])
      .slice(afterSeq, afterSeq + limit)
      .map(toLine),

  strays: async () => [],

  async appendSeal(seal, previousHash) {
    const seals = sealsOf(tables, seal);
    if ((seals.at(-1) ?? genesis).hash !== previousHash) return { kind: "lost" };
    tables.seals.set(`${chainKey(seal)}/${seal.number}`, seal);
    tables.index.chainSeals.set(chainKey(seal), [...seals, seal]);
    return { kind: "done" };
  },

  async noteAnchor({ organizationId, projectId }, day, { number, hash }) {
    const key = `${chainKey({ organizationId, projectId })}/${day}`;
    if (tables.anchors.has(key)) return;
    const anchor = { organizationId, projectId, day, number, hash };
    tables.anchors.set(key, anchor);
    tables.index.newestAnchor.set(chainKey({ organizationId, projectId }), anchor);
  },
});

/** The newest seal of a chain as the row of a patch set keeps it. */
export function auditHeadOf(tables: Tables, chain: ChainRef): string | null {
  const head = sealsOf(tables, chain).at(-1);
  return head === undefined ? null : `${head.number}:${head.hash}`;
}

const sealsOf = (tables: Tables, chain: ChainRef) =>
  tables.index.chainSeals.get(chainKey(chain)) ?? [];

const linesOf = (tables: Tables, chain: ChainRef): AuditLine[] =>
  (tables.index.chainLines.get(chainKey(chain)) ?? []).map(toLine);

/** Sorted anew when there is another one: every tick asks. */
function allChains({ index }: Tables): readonly ChainRef[] {
  if (index.chains.length !== index.chainLines.size)
    index.chains = [...index.chainLines.values()]
      .flatMap((lines) => lines.slice(0, 1))
      .map(({ organizationId, projectId }) => ({ organizationId, projectId }))
      .sort(
        (a, b) => byText(a.organizationId, b.organizationId) || byText(a.projectId, b.projectId),
      );
  return index.chains;
}

const isBehind = (chain: ChainRef, after: { organizationId: string; projectId: string | null }) =>
  chain.organizationId > after.organizationId ||
  (chain.organizationId === after.organizationId &&
    after.projectId !== null &&
    chain.projectId > after.projectId);

function stateOf(tables: Tables, chain: ChainRef): ChainState {
  const lines = tables.index.chainLines.get(chainKey(chain)) ?? [];
  const { number, lastSeq, hash } = sealsOf(tables, chain).at(-1) ?? genesis;
  const anchor = tables.index.newestAnchor.get(chainKey(chain));
  return {
    ...chain,
    lastSeq: lines.length,
    head: { number, lastSeq, hash },
    unsealedSinceMs: lines[lastSeq]?.atMs ?? null,
    anchored: anchor === undefined ? null : { day: anchor.day, number: anchor.number },
  };
}

const toLine = ({ entry, ...row }: LogRow): AuditLine => ({
  organizationId: row.organizationId,
  projectId: row.projectId,
  seq: row.seq,
  id: row.id,
  subjectId: row.subjectId,
  actor: entry.actor,
  action: entry.action,
  message: entry.message,
  details: entry.details === undefined ? null : JSON.stringify(entry.details),
  atMs: row.atMs,
});
