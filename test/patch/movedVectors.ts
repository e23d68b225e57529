import fc from "fast-check";
import { sha256 } from "./hashes.ts";
import { patchOf, setOf } from "./patchSets.ts";
import { fileText } from "./textArbitraries.ts";

/**
 * Sets that mostly move files about: swaps, chains, copies of what is renamed, new files in the place of old ones.
 * They fit the tree they are for in most cases, and may be refused in the others.
 */
const path = fc.constantFrom("a", "b", "c", "d/e", "d/f", "g h", "é");
const mode = fc.constantFrom("100644" as const, "100755" as const);
const content = fc.oneof(
  { weight: 5, arbitrary: fileText.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.constant(Buffer.from([0, 1, 2, 255])) },
);

const pick = fc.record({
  path,
  from: path,
  op: fc.constantFrom("rename", "rename", "copy", "edit", "delete", "replace", "create"),
  mode: fc.option(mode, { nil: undefined }),
  content,
  isEdited: fc.boolean(),
});

/** `turned` are files that change places in a ring. */
const moves = fc.record({
  tree: fc.dictionary(path, fc.record({ content, mode }), { minKeys: 2, maxKeys: 6 }),
  turned: fc.nat({ max: 3 }),
  picks: fc.array(pick, { maxLength: 4 }),
});

type Moves = typeof moves extends fc.Arbitrary<infer T> ? T : never;
type Pick = Moves["picks"][number];

export const movedVector = moves.map(({ tree, turned, picks }) => {
  const present = Object.keys(tree);
  const ring = present.slice(0, turned);
  const turns = ring.map((to, at) => [to, ring[(at + 1) % ring.length] ?? to] as const);
  const entries = new Map<string, Record<string, unknown>>();
  for (const [to, from] of turned > 1 ? turns : []) entries.set(to, { op: "rename", from });
  for (const one of picks) {
    const entry = entryOf(one, tree, entries);
    if (entry !== null) entries.set(one.path, entry);
  }
  const edited = picks.filter(
    ({ path: one, isEdited }) => isEdited && takesLines(entries.get(one)),
  );
  const patches = [...new Set(edited.map(({ path: one }) => one))].map((one) =>
    patchOf("append", "appended", {}, one),
  );
  const files = Object.entries(tree).map(([name, { content: bytes, mode: known }]) => [
    name,
    { base64: bytes.toString("base64"), mode: known },
  ]);
  return {
    files: Object.fromEntries(files),
    policy: { base_is_head: true },
    set: setOf(patches, { files: Object.fromEntries(entries) as never }),
    after: {},
  };
});

/** What a path can become, given what stands there; null for what surely is refused. */
function entryOf(
  pick: Pick,
  tree: Moves["tree"],
  entries: ReadonlyMap<string, Record<string, unknown>>,
): Record<string, unknown> | null {
  const { path: to, from, op } = pick;
  const isRenamed = (one: string) =>
    [...entries.values()].some(({ op: kind, from: source }) => kind === "rename" && source === one);
  const here = isRenamed(to) ? undefined : tree[to];
  const isMovable = !entries.has(from) && !isRenamed(from);
  if (entries.has(to) || (op === "rename" && !isMovable)) return null;
  const fields = here === undefined ? placed(pick, tree) : changed(pick, here.content);
  return fields && { op, ...fields };
}

function placed({ op, from, mode: newMode, content: bytes }: Pick, tree: Moves["tree"]) {
  const withMode = newMode === undefined ? {} : { mode: newMode };
  if (op === "create") return { ...withMode, content: { base64: bytes.toString("base64") } };
  const isMove = op === "copy" || op === "rename";
  return isMove && tree[from] !== undefined ? { from, ...withMode } : null;
}

function changed({ op, mode: newMode, content: bytes }: Pick, here: Uint8Array) {
  const withMode = newMode === undefined ? {} : { mode: newMode };
  if (op === "edit") return withMode;
  if (op === "replace") return { ...withMode, content: { base64: bytes.toString("base64") } };
  return op === "delete" ? { pre: { sha256: sha256(here) } } : null;
}

function takesLines(entry: Record<string, unknown> | undefined): boolean {
  return entry !== undefined && ["edit", "rename", "copy"].includes(String(entry.op));
}
