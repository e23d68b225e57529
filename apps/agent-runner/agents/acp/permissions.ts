import { isAbsolute, relative, resolve } from "node:path";
import type { AcpAgent } from "./acpConfig.ts";
import type { PermissionRequest } from "./acpWire.ts";

export type PermissionAnswer =
  | { kind: "selected"; optionId: string; isAllowed: boolean }
  | { kind: "cancelled" };

const allowing = ["allow_once", "allow_always"];
const rejecting = ["reject_once", "reject_always"];

/**
 * Chooses among what the agent offers, by kind and the smallest first. This is policy, not containment: what the
 * agent says of a tool's paths is its own text.
 */
export function answerPermission(
  policy: AcpAgent["permission"],
  workspace: string,
  { toolCall, options }: PermissionRequest,
): PermissionAnswer {
  const paths = (toolCall.locations ?? []).map(({ path }) => path);
  const isAllowed =
    policy === "allow-all" ||
    (policy === "allow-in-workspace" && paths.every((path) => isInside(workspace, path)));
  const kinds = isAllowed ? allowing : rejecting;
  const chosen = kinds
    .map((kind) => options.find((option) => option.kind === kind))
    .find((option) => option !== undefined);
  if (chosen === undefined) return { kind: "cancelled" };
  return { kind: "selected", optionId: chosen.optionId, isAllowed };
}

function isInside(workspace: string, path: string): boolean {
  const way = relative(workspace, resolve(workspace, path));
  return way !== ".." && !way.startsWith("../") && !isAbsolute(way);
}
