import { shaOf } from "./shaOf.ts";

/** What a commit holds: text files by their paths. */
export type Tree = ReadonlyMap<string, string>;

/** What somebody made of a tree. */
export type Change = { from: Tree; to: Tree };

const lineCount = 4;
const lineOf = (at: number, by: string) => `export const line${at} = "${by}";\n`;

/** Few files of few lines: changes of one order meet now and then. */
export const firstTree: Tree = new Map(
  ["src/a.js", "src/b.js"].map((path) => [
    path,
    Array.from({ length: lineCount }, (_, at) => lineOf(at + 1, path)).join(""),
  ]),
);

/** What somebody leaves who works on a tree: one line of a file is his, or a file of his own is new. */
export function changeBy(
  who: string,
): { path: string; create: string } | { path: string; line: number; block: string } {
  const drawn = Number.parseInt(shaOf(who).slice(0, 8), 16);
  if (drawn % 5 === 0) return { path: `src/of ${who}.js`, create: `export const by = "${who}";\n` };
  const line = (Math.floor(drawn / 10) % lineCount) + 1;
  return { path: drawn % 2 === 0 ? "src/a.js" : "src/b.js", line, block: lineOf(line, who) };
}

/** A tree after a change that is somebody's own. */
export function changedBy(who: string, tree: Tree): Tree {
  const change = changeBy(who);
  if ("create" in change) return new Map([...tree, [change.path, change.create]]);
  const lines = linesOf(tree.get(change.path));
  lines[change.line - 1] = change.block;
  return new Map([...tree, [change.path, lines.join("")]]);
}

/** A tree in which somebody has put something of his own in the place of all that a change makes. */
export function inTheWayOf({ from, to }: Change, tree: Tree, who: string): Tree {
  const made = new Map(tree);
  for (const [path, text] of to) {
    if (from.get(path) === text) continue;
    const [was, is] = [linesOf(from.get(path)), linesOf(text)];
    const lines = linesOf(tree.get(path) ?? text);
    made.set(path, lines.map((line, at) => (was[at] === is[at] ? line : lineOf(at, who))).join(""));
  }
  return made;
}

/** A tree with a change in it, where all else of it stays; or why there is no such tree. */
export function carryOnto({ from, to }: Change, tree: Tree): Tree | "nothing left" | "later work" {
  const made = new Map(tree);
  let isLeft = false;
  for (const path of new Set([...from.keys(), ...to.keys()])) {
    const [was, is, now] = [from.get(path), to.get(path), tree.get(path)];
    if (was === is || now === is) continue;
    const text = now === was ? is : lineByLine(was, is, now);
    if (text === null) return "later work";
    isLeft ||= text !== now;
    if (text === undefined) made.delete(path);
    else made.set(path, text);
  }
  return isLeft ? made : "nothing left";
}

/** Null where a line that the change is of is another one by now. No change of this world moves a line. */
function lineByLine(
  was: string | undefined,
  is: string | undefined,
  now: string | undefined,
): string | null {
  if (was === undefined || is === undefined || now === undefined) return null;
  const [from, to] = [linesOf(was), linesOf(is)];
  const lines = linesOf(now);
  for (const [at, line] of lines.entries()) {
    if (from[at] === to[at] || line === to[at]) continue;
    if (line !== from[at]) return null;
    lines[at] = to[at] ?? "";
  }
  return lines.join("");
}

/** Whether every file that a change is of is as it makes it. */
export const isThere = ({ from, to }: Change, tree: Tree): boolean =>
  [...from.keys(), ...to.keys()].every(
    (path) => from.get(path) === to.get(path) || to.get(path) === tree.get(path),
  );

export const isSame = (one: Tree, other: Tree): boolean =>
  one.size === other.size && [...one].every(([path, text]) => other.get(path) === text);

/** Each with its newline. */
const linesOf = (text: string | undefined): string[] => text?.match(/[^\n]*\n/g) ?? [];
