import type { PatchFault } from "../contracts/aiPatch.ts";
import { isAllowedPath } from "./allowedPaths.ts";
import { fileFault } from "./faults.ts";
import type { FileTask } from "./fileTasks.ts";
import { isProtectedPath, pathFault, pathKey } from "./paths.ts";
import type { PatchPolicy } from "./policy.ts";

/** Everything that the paths of a set, alone and together, are refused for. */
export function pathFaults(tasks: readonly FileTask[], policy: PatchPolicy): PatchFault[] {
  const faults: PatchFault[] = [];
  const sound: FileTask[] = [];
  for (const task of tasks) {
    const known = faults.length;
    addPathFaults(faults, task, policy);
    if (faults.length === known) sound.push(task);
  }
  faults.push(...sourceFaults(sound));
  // One path has nothing to collide with.
  if (sound.length > 1) for (const fault of collisionFaults(sound)) faults.push(fault);
  return faults;
}

function addPathFaults(faults: PatchFault[], task: FileTask, policy: PatchPolicy): void {
  const {
    path,
    file: { op, from },
  } = task;
  const ownFault = pathFault(path);
  const fromFault = from === undefined ? null : pathFault(from);
  const fault = ownFault === null ? prefixed("from", fromFault) : prefixed("path", ownFault);
  if (fault !== null) {
    faults.push(fileFault(path, "bad_path", fault));
    return;
  }
  const left = op === "rename" ? from : undefined;
  if (!isAllowed(path, policy) || (left !== undefined && !isAllowed(left, policy)))
    faults.push(fileFault(path, "path_not_allowed", "outside the paths that the task may change"));
  if (needsApproval(path, policy) || (left !== undefined && needsApproval(left, policy)))
    faults.push(fileFault(path, "protected_path", "needs a person's approval"));
}

const prefixed = (name: string, fault: string | null): string | null =>
  fault === null ? null : `${name} ${fault}`;

const isAllowed = (path: string, { allowedPaths }: PatchPolicy): boolean =>
  allowedPaths === undefined || isAllowedPath(path, allowedPaths);

const needsApproval = (path: string, { allowProtected }: PatchPolicy): boolean =>
  !allowProtected && isProtectedPath(path);

/** A file can be renamed once, and is then no longer there for another operation. */
function sourceFaults(tasks: readonly FileTask[]): PatchFault[] {
  const renamed = new Set<string>();
  const faults: PatchFault[] = [];
  for (const { path, file } of tasks) {
    if (file.op !== "rename" || file.from === undefined) continue;
    if (renamed.has(file.from))
      faults.push(fileFault(path, "missing_file", "its source is renamed to another path"));
    else renamed.add(file.from);
  }
  if (renamed.size === 0) return faults;
  for (const { path, file } of tasks)
    if (renamed.has(path) && ["edit", "delete", "replace"].includes(file.op))
      faults.push(fileFault(path, "missing_file", "this set renames it; patch its new path"));
  return faults;
}

/** Two outcomes that some file system takes for one, or one that is a directory of another. */
function collisionFaults(tasks: readonly FileTask[]): PatchFault[] {
  const remaining = tasks.filter(({ file }) => file.op !== "delete").map(({ path }) => path);
  const root: PathNode = { children: new Map() };
  for (const path of remaining) plant(root, path);
  return remaining.flatMap((path) => {
    const nodes = nodesOf(root, path);
    const last = nodes.pop();
    if (last?.path !== path)
      return [
        fileFault(path, "bad_path", "differs from another path of the set in case or form only"),
      ];
    return nodes.some((node) => node.path !== undefined)
      ? [
          fileFault(
            path,
            "file_exists",
            "another path of the set is a file where it needs a directory",
          ),
        ]
      : [];
  });
}

/** A tree of the segments of path keys; `path` is the first path that ends here. */
type PathNode = { path?: string; children: Map<string, PathNode> };

function plant(root: PathNode, path: string): void {
  let node = root;
  for (const segment of pathKey(path).split("/")) {
    const child = node.children.get(segment) ?? { children: new Map() };
    node.children.set(segment, child);
    node = child;
  }
  node.path ??= path;
}

function nodesOf(root: PathNode, path: string): PathNode[] {
  const nodes: PathNode[] = [];
  let node: PathNode | undefined = root;
  for (const segment of pathKey(path).split("/")) {
    node = node?.children.get(segment);
    if (node !== undefined) nodes.push(node);
  }
  return nodes;
}
