import { digestOfLine, hashOfSeal, missingLine } from "./auditChain.ts";
import type { AuditFault, AuditFaultKind } from "./auditFaults.ts";
import type { AuditLine, ChainRef, Seal, SealHead } from "./ports/auditStore.ts";

const fault = (
  { organizationId, projectId }: ChainRef,
  kind: AuditFaultKind,
  where: string,
  message: string,
): AuditFault => ({ organizationId, projectId, kind, where, message });

/** Whether a seal is the one that was made after `before`, the seal that stands before it. */
export async function faultsOfSeal(before: SealHead, seal: Seal): Promise<AuditFault[]> {
  const where = `seal ${seal.number}`;
  if (seal.number <= before.number)
    return [fault(seal, "seal_changed", where, `${where} is there twice, or out of its turn.`)];
  if (seal.number !== before.number + 1) {
    const first = before.number + 1;
    const gone = first === seal.number - 1 ? `seal ${first}` : `seals ${first}-${seal.number - 1}`;
    const lines = rangeOf(before.lastSeq + 1, seal.firstSeq - 1);
    return [fault(seal, "seal_removed", gone, `${gone} of ${lines} is not there any more.`)];
  }
  if ((await hashOfSeal(seal, before.hash)) !== seal.hash)
    return [
      fault(seal, "seal_changed", where, `${where} does not have the hash of what is in it.`),
    ];
  if (seal.firstSeq !== before.lastSeq + 1 || digestsOf(seal) === null)
    return [
      fault(seal, "seal_changed", where, `${where} does not begin where the one before it ends.`),
    ];
  return [];
}

/** Whether the lines between a seal's first and last are those that it was made of. */
export async function faultsOfLines(
  seal: Seal,
  lines: readonly AuditLine[],
): Promise<AuditFault[]> {
  const digests = digestsOf(seal);
  if (digests === null) return [];
  const bySeq = Map.groupBy(lines, ({ seq }) => seq);
  const faults: AuditFault[] = [];
  const removed: number[] = [];
  for (const [at, digest] of digests.entries()) {
    const seq = seal.firstSeq + at;
    const there = bySeq.get(seq) ?? [];
    bySeq.delete(seq);
    if (there.length === 0) removed.push(seq);
    else faults.push(...(await faultsOfPlace(seal, digest, there)));
  }
  faults.push(...removedLines(seal, removed));
  return [...faults, ...[...bySeq.values()].flat().map(insertedLine)];
}

/** More than one line in a place: the one that was sealed is right, the others were inserted. */
async function faultsOfPlace(
  seal: Seal,
  digest: string,
  lines: readonly AuditLine[],
): Promise<AuditFault[]> {
  if (digest === missingLine) return lines.map(insertedLine);
  const found = await Promise.all(lines.map(digestOfLine));
  const right = found.indexOf(digest);
  const others = lines.filter((_, at) => at !== (right === -1 ? 0 : right)).map(insertedLine);
  const [first] = lines;
  if (right !== -1 || first === undefined) return others;
  const where = `line ${first.seq}`;
  const said = `${where} (${first.action} of ${first.subjectId}) is not what seal ${seal.number} was made of: it was changed, or another one stands in its place.`;
  return [fault(seal, "line_changed", where, said), ...others];
}

/** Lines without a seal yet can be held against their numbers alone. */
export function faultsOfTail(head: SealHead, lines: readonly AuditLine[]): AuditFault[] {
  const [first] = lines;
  if (first === undefined) return [];
  let next = head.lastSeq + 1;
  const faults: AuditFault[] = [];
  for (const line of lines) {
    if (line.seq < next) faults.push(insertedLine(line));
    else if (line.seq > next) {
      const gone = rangeOf(next, line.seq - 1);
      const said = `${gone} of the unsealed end is not there any more.`;
      faults.push(fault(first, "line_removed", gone, said));
    }
    next = Math.max(next, line.seq + 1);
  }
  return faults;
}

export const insertedLine = (line: AuditLine): AuditFault =>
  fault(
    line,
    "line_inserted",
    `line ${line.seq}`,
    `line ${line.seq} (${line.id}, ${line.action} of ${line.subjectId}) was put where no line was sealed.`,
  );

const removedLines = (seal: Seal, seqs: readonly number[]): AuditFault[] =>
  rangesOf(seqs).map(([first, last]) => {
    const where = rangeOf(first, last);
    return fault(seal, "line_removed", where, `${where} of seal ${seal.number} is not there.`);
  });

const rangeOf = (first: number, last: number): string =>
  first === last ? `line ${first}` : `lines ${first}-${last}`;

function rangesOf(numbers: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

function digestsOf({ digests, firstSeq, lastSeq }: Seal): string[] | null {
  const list = digests.split(" ");
  return list.length === lastSeq - firstSeq + 1 ? list : null;
}
