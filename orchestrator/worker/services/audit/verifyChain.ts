import { genesis } from "../../domain/auditChain.ts";
import type { AuditFault, ChainReport, Evidence } from "../../domain/auditFaults.ts";
import type {
  AuditLine,
  AuditReader,
  ChainRef,
  Seal,
  SealHead,
} from "../../domain/ports/auditStore.ts";
import {
  faultsOfLines,
  faultsOfSeal,
  faultsOfTail,
  insertedLine,
} from "../../domain/verifySeal.ts";

const sealsPerPage = 8;
const tailPerPage = 2_000;
const maxFaults = 100;

/**
 * Reads a whole chain, in pages, and holds its lines against its seals, every seal against the one before it, and
 * the heads that stand elsewhere against the seals with their numbers.
 */
export async function verifyChain(
  reader: AuditReader,
  chain: ChainRef,
  evidence: readonly Evidence[],
): Promise<ChainReport> {
  const { organizationId, projectId } = chain;
  const report: ChainReport = {
    ...{ organizationId, projectId, lines: 0, seals: 0, unsealed: 0 },
    ...{ head: { number: 0, hash: "" }, evidence: evidence.length, faults: [], faultCount: 0 },
  };
  const tell = (faults: readonly AuditFault[]) => {
    report.faults.push(...faults.slice(0, Math.max(maxFaults - report.faults.length, 0)));
    report.faultCount += faults.length;
  };
  const left = new Map(Map.groupBy(evidence, ({ number }) => number));
  let head = genesis;
  for (;;) {
    const seals = await reader.seals(chain, head.number, sealsPerPage);
    if (seals.length === 0) break;
    tell(await faultsOfPage(reader, chain, head, seals, report));
    for (const seal of seals) {
      tell((left.get(seal.number) ?? []).flatMap((held) => rewritten(seal, held)));
      left.delete(seal.number);
    }
    head = seals.at(-1) ?? head;
  }
  tell(await faultsOfEnd(reader, chain, head, report));
  tell([...left.values()].flat().map((held) => cutOff(chain, head, held)));
  report.head = { number: head.number, hash: head.hash };
  return report;
}

async function faultsOfPage(
  reader: AuditReader,
  chain: ChainRef,
  before: SealHead,
  seals: readonly Seal[],
  report: ChainReport,
): Promise<AuditFault[]> {
  // Nothing has a lower number than 1, so the first page takes what has.
  const from = before.number === 0 ? Number.MIN_SAFE_INTEGER : before.lastSeq + 1;
  const to = Math.max(...seals.map(({ lastSeq }) => lastSeq));
  const lines = await reader.linesBetween(chain, from, to);
  const faults: AuditFault[] = [];
  let head = before;
  const sealed = new Set<AuditLine>();
  for (const seal of seals) {
    const own = lines.filter(({ seq }) => seq >= seal.firstSeq && seq <= seal.lastSeq);
    for (const line of own) sealed.add(line);
    faults.push(...(await faultsOfSeal(head, seal)), ...(await faultsOfLines(seal, own)));
    head = seal;
  }
  report.lines += lines.length;
  report.seals += seals.length;
  return [
    ...faults,
    ...lines.filter((line) => !sealed.has(line) && line.seq < 1).map(insertedLine),
  ];
}

async function faultsOfEnd(
  reader: AuditReader,
  chain: ChainRef,
  head: SealHead,
  report: ChainReport,
): Promise<AuditFault[]> {
  const faults: AuditFault[] = [];
  if (head.number === 0) {
    const low = await reader.linesBetween(chain, Number.MIN_SAFE_INTEGER, 0);
    faults.push(...low.map(insertedLine));
  }
  let at = head;
  for (;;) {
    const lines = await reader.linesAfter(chain, at.lastSeq, tailPerPage);
    if (lines.length === 0) return faults;
    faults.push(...faultsOfTail(at, lines));
    report.lines += lines.length;
    report.unsealed += lines.length;
    at = { ...at, lastSeq: lines.at(-1)?.seq ?? at.lastSeq };
  }
}

function rewritten(seal: Seal, held: Evidence): AuditFault[] {
  if (held.hash === seal.hash) return [];
  const { organizationId, projectId } = seal;
  const where = `seal ${seal.number}`;
  const message = `${where} is ${seal.hash.slice(0, 12)}…, and ${held.source} holds ${held.hash.slice(0, 12)}…: the chain was made anew from there or from before it.`;
  return [{ organizationId, projectId, kind: "chain_rewritten", where, message }];
}

const cutOff = (
  { organizationId, projectId }: ChainRef,
  head: SealHead,
  { source, number }: Evidence,
): AuditFault => ({
  organizationId,
  projectId,
  kind: "chain_cut",
  where: `seal ${number}`,
  message: `${source} holds seal ${number}, and ${head.number === 0 ? "the chain has no seal" : `the chain has ${head.number} as its last`}.`,
});
