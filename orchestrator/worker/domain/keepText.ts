import { maxInlineBytes } from "./limits.ts";
import type { Artifacts } from "./ports/artifacts.ts";
import type { StoredText } from "./task.ts";

/** Keeps a text of an attempt: in its row when it is small, else in R2 under a key that says whose it is. */
export async function keepText(
  artifacts: Artifacts,
  at: { organizationId: string; taskId: string; fence: number },
  name: string,
  text: string,
): Promise<StoredText> {
  if (new TextEncoder().encode(text).length <= maxInlineBytes) return { kind: "inline", text };
  const key = `${at.organizationId}/${at.taskId}/${at.fence}/${name}`;
  await artifacts.put(key, text);
  return { kind: "artifact", key };
}

export async function readText(artifacts: Artifacts, stored: StoredText): Promise<string | null> {
  return stored.kind === "inline" ? stored.text : artifacts.get(stored.key);
}
