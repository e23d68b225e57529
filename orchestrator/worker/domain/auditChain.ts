import { encodeText } from "../../../shared/patch/bytes.ts";
import { sha256Hex } from "../../../shared/patch/hashes.ts";
import type { AuditLine, ChainRef, Seal, SealHead } from "./ports/auditStore.ts";

/** The head of a chain of which nothing is sealed. */
export const genesis: SealHead = { number: 0, lastSeq: 0, hash: "" };

/** SHA-256 of a line, over every column of its row. */
export const digestOfLine = (line: AuditLine): Promise<string> =>
  digestOf([
    "switchyard-log/1",
    line.organizationId,
    line.projectId,
    line.seq,
    line.id,
    line.subjectId,
    line.actor,
    line.action,
    line.message,
    line.details,
    line.atMs,
  ]);

/** SHA-256 of a seal, over every column of its row and the hash of the seal before it. */
export const hashOfSeal = (seal: Omit<Seal, "hash">, previousHash: string): Promise<string> =>
  digestOf([
    "switchyard-seal/1",
    previousHash,
    seal.organizationId,
    seal.projectId,
    seal.number,
    seal.firstSeq,
    seal.lastSeq,
    seal.digests,
    seal.sealedAtMs,
  ]);

/** In the place of the digest of a line that was gone before it could be sealed. */
export const missingLine = "missing";

/**
 * The seal of at most `limit` lines behind a head. A gap is sealed as one, so that it is told for ever and the lines
 * behind it are sealed too; null = there is no line.
 */
export async function sealOf(
  { organizationId, projectId }: ChainRef,
  head: SealHead,
  lines: readonly AuditLine[],
  { limit, nowMs }: { limit: number; nowMs: number },
): Promise<Seal | null> {
  const newest = lines.at(-1);
  if (newest === undefined) return null;
  const firstSeq = head.lastSeq + 1;
  const lastSeq = Math.min(newest.seq, head.lastSeq + limit);
  const digests = Array<string>(lastSeq - head.lastSeq).fill(missingLine);
  for (const line of lines)
    if (line.seq <= lastSeq) digests[line.seq - firstSeq] = await digestOfLine(line);
  const number = head.number + 1;
  const place = { organizationId, projectId, number, firstSeq, lastSeq };
  const seal = { ...place, digests: digests.join(" "), sealedAtMs: nowMs };
  return { ...seal, hash: await hashOfSeal(seal, head.hash) };
}

/** How a commit names the head that was there when its validation began: `<project> <number>:<hash>`. */
export const auditTrailer = (projectId: string, auditHead: string): string =>
  `${projectId} ${auditHead}`;

export function parseAuditTrailer(
  text: string,
): { projectId: string; number: number; hash: string } | null {
  const found = /^(\S+) (\d{1,15}):([0-9a-f]{64})$/.exec(text.trim());
  if (found === null) return null;
  const [, projectId = "", number = "", hash = ""] = found;
  return { projectId, number: Number(number), hash };
}

/** A list as JSON has one text alone, so it needs no rules of its own. */
const digestOf = (values: readonly (string | number | null)[]): Promise<string> =>
  sha256Hex(encodeText(JSON.stringify(values)));
