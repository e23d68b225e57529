import type { Source } from "../../../shared/contracts/source.ts";

export type SourceVerdict = { kind: "allowed" } | { kind: "refused"; because: string };

/**
 * Which sources this deployment can work on. A local path is for one trusted person on one machine: only in
 * local mode, and only inside the roots named at start. The runner checks the real path once more.
 */
export function judgeSource(
  source: Source,
  deployment: { localMode: boolean; localRoots: readonly string[] },
): SourceVerdict {
  if (source.kind !== "local")
    return {
      kind: "refused",
      because: `this version delivers to local repositories only, not to ${source.kind}`,
    };
  if (!deployment.localMode)
    return { kind: "refused", because: "a local path is accepted in local mode only" };
  if (!isPlainAbsolutePath(source.path))
    return { kind: "refused", because: "the path must be absolute and without . or .. in it" };
  if (deployment.localRoots.some((root) => isInside(source.path, root))) return { kind: "allowed" };
  return {
    kind: "refused",
    because: "the path is in none of the repositories named at start with --repo",
  };
}

const isPlainAbsolutePath = (path: string): boolean =>
  path.startsWith("/") &&
  !path.includes("\0") &&
  path
    .split("/")
    .slice(1)
    .every((part) => part !== "" && part !== "." && part !== "..");

const isInside = (path: string, root: string): boolean =>
  path === root || path.startsWith(`${root}/`);
