import { z } from "zod";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { Anchor } from "./ports/anchorStore.ts";
import type { ChainRef } from "./ports/auditStore.ts";

/** An anchor as it lies in R2, and as it is shown. */
export const anchorSchema = z.strictObject({
  organizationId: z.string(),
  projectId: z.string(),
  day: z.string(),
  number: z.int(),
  hash: z.string(),
});

/** All anchors lie under `audit/`, so that one rule locks them. A dash stands for no project. */
export const anchorsFolder = (organizationId: string): string => `audit/${organizationId}/`;
export const chainFolder = ({ organizationId, projectId }: ChainRef): string =>
  `${anchorsFolder(organizationId)}${projectId || "-"}/`;
export const projectOfFolder = (folder: string): string => {
  const name = folder.split("/").at(-2) ?? "";
  return name === "-" ? "" : name;
};

export const anchorKey = (chain: ChainRef, day: string): string =>
  `${chainFolder(chain)}${day}.json`;

/** Throws SwitchyardError when the object is not what was put there. */
export function parseAnchor(key: string, text: string): Anchor {
  const parsed = anchorSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new SwitchyardError(
    "internal",
    `The anchor ${key} cannot be read: it is not what was put there.`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
