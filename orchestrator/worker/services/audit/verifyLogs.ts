import type { AuditFault, ChainReport, Evidence } from "../../domain/auditFaults.ts";
import type { AnchorStore } from "../../domain/ports/anchorStore.ts";
import type { AuditReader, ChainRef } from "../../domain/ports/auditStore.ts";
import { verifyChain } from "./verifyChain.ts";

export type AuditReport = {
  intact: boolean;
  chains: ChainReport[];
  /** Lines that are in no chain. */
  strays: AuditFault[];
};

/** Verifies the chains of an organization, or one of them, and what of them stands outside the database. */
export async function verifyLogs(
  reader: AuditReader,
  organizationId: string,
  which: {
    projectId?: string | undefined;
    /** Heads that stand elsewhere. */
    evidenceOf: (chain: ChainRef) => Promise<readonly Evidence[]>;
    /** Projects that something elsewhere speaks of: a chain that the database does not know was cut off whole. */
    alsoNamed?: readonly string[];
  },
): Promise<AuditReport> {
  const { projectId } = which;
  const chosen =
    projectId === undefined
      ? [
          ...(await reader.chainsOf(organizationId)).map((chain) => chain.projectId),
          ...(which.alsoNamed ?? []),
        ]
      : [projectId];
  const chains: ChainReport[] = [];
  for (const name of new Set(chosen)) {
    const chain = { organizationId, projectId: name };
    chains.push(await verifyChain(reader, chain, await which.evidenceOf(chain)));
  }
  const strays = (await reader.strays(organizationId)).map((line) => strayOf(organizationId, line));
  const intact = strays.length === 0 && chains.every(({ faultCount }) => faultCount === 0);
  return { intact, chains, strays };
}

/** The heads of a chain that were put where nobody overwrites them. */
export const anchorsOf =
  (anchors: AnchorStore) =>
  async (chain: ChainRef): Promise<Evidence[]> =>
    (await anchors.ofChain(chain)).map(evidenceOfAnchor);

export const evidenceOfAnchor = ({
  projectId,
  day,
  number,
  hash,
}: {
  projectId: string;
  day: string;
  number: number;
  hash: string;
}): Evidence => ({ source: `the anchor of ${day}`, projectId, number, hash });

const strayOf = (organizationId: string, { id, subjectId }: { id: string; subjectId: string }) => ({
  organizationId,
  projectId: "",
  kind: "line_inserted" as const,
  where: `line ${id}`,
  message: `line ${id} of ${subjectId} has no place in any chain.`,
});
