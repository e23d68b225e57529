import fc from "fast-check";
import { gitBlob, sha256 } from "./hashes.ts";
import { fileBytes, fileText, line, mixedLines, mostly } from "./textArbitraries.ts";

/**
 * Sets that are wrong in most of the ways a set can be: hostile paths, wrong fields, operations on files that get in
 * each other's way. What is expected of them is only that both engines say the same.
 */
const block = fc.oneof(
  { weight: 20, arbitrary: mixedLines },
  { weight: 12, arbitrary: line },
  { weight: 1, arbitrary: fc.constantFrom("x\r", "\ufeffx", "a\0", "\ud800", "x\r\r\n") },
);

/** Mostly near the lines of a small file; sometimes no line number at all. */
const lineNumber = fc.oneof(
  { weight: 90, arbitrary: fc.integer({ min: 0, max: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(-1, 1.5, "2", null, 2 ** 53, true, 1e300) },
);

const paths = ["a.txt", "b.txt", "d/c.txt", "d"];
const hostilePaths = [
  "../a",
  "A.TXT",
  ".github/x",
  "link/x",
  "a.txt/b",
  "c:x",
  ".GIT/config",
  "package-lock.json",
  "d/",
  "",
];
const path = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(...paths) },
  { weight: 1, arbitrary: fc.constantFrom(...hostilePaths) },
);

const positions = fc.oneof(
  fc.record({ operation: fc.constant("replace-block"), start: lineNumber, end: lineNumber }),
  fc.tuple(lineNumber, fc.integer({ min: 0, max: 2 })).map(([start, more]) => ({
    operation: "replace-block",
    start,
    end: typeof start === "number" ? start + more : start,
  })),
  fc.record({ operation: fc.constantFrom("insert-before", "insert-after"), line: lineNumber }),
  fc.constant({ operation: "append" }),
);

const guardText = fc.oneof(
  line,
  line.map((one) => `${one}\n`),
  mixedLines,
);
const expectation = fc.record(
  { block: guardText, before: guardText, after: guardText },
  { requiredKeys: [] },
);

const mistakes = fc.constantFrom<Record<string, unknown>>(
  { operation: "prepend" },
  { line: 1 },
  { end: undefined },
  { surprise: 1 },
  { block: 7 },
  { metadata: {} },
  { metadata: { provider: "p", confidence: 2 } },
  { expect: { block: 1 } },
);

const patchBody = fc.oneof(
  { weight: 5, arbitrary: fc.record({ block }) },
  { weight: 3, arbitrary: fc.record({ block, expect: expectation }) },
  {
    weight: 1,
    arbitrary: fc.record({ block, block_encoding: fc.constantFrom("utf-8", "base64") }),
  },
);

const patch = fc
  .tuple(positions, patchBody, mostly<Record<string, unknown>>({}, 40, mistakes), path)
  .map(([position, body, mistake, file]) => ({
    task_id: "t",
    file,
    metadata: { provider: "p", confidence: 0.25 },
    ...position,
    ...encoded(body),
    ...mistake,
  }));

function encoded(body: { block: string; block_encoding?: string }) {
  if (body.block_encoding !== "base64" || body.block === "x\r") return body;
  return { ...body, block: Buffer.from(body.block, "latin1").toString("base64") };
}

const pre = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("right-sha256", "right-blob", "right-mode") },
  { weight: 1, arbitrary: fc.constantFrom("wrong-sha256", "absent", "empty") },
);

/** `pre` and `post` are named here and get their hashes when the tree is known. */
const fileEntry = fc
  .record(
    {
      op: fc.constantFrom("edit", "edit", "edit", "create", "delete", "rename", "copy", "replace"),
      pre,
      post: fc.constantFrom("right-sha256", "wrong-sha256", "empty"),
      from: path,
      mode: fc.constantFrom("100644", "100755", "100755", "120000", "160000"),
      eof: fc.constantFrom("preserve", "present", "absent"),
      content: fc.oneof(
        fileText.map((text) => ({ text })),
        fileBytes.map((bytes) => ({ base64: bytes.toString("base64") })),
        mostly<object>(
          { text: "all\n" },
          4,
          fc.constantFrom({ r2: "key" }, {}, { text: "a", base64: "" }),
        ),
      ),
    },
    { requiredKeys: ["op"] },
  )
  .map((entry) => fitting(entry));

const plainEdit = fc.record(
  { op: fc.constant("edit"), pre, eof: fc.constantFrom("preserve", "present", "absent") },
  { requiredKeys: ["op"] },
);

const fieldsOfOperation: Record<string, readonly string[]> = {
  edit: ["pre", "post", "eof", "mode"],
  create: ["post", "content"],
  delete: ["pre"],
  rename: ["pre", "post", "from"],
  copy: ["pre", "post", "from"],
  replace: ["pre", "post", "content"],
};

/** Most entries hold what their operation takes, so that more of them get as far as the files. */
function fitting(entry: Record<string, unknown> & { op: string }): Record<string, unknown> {
  const { op, eof } = entry;
  if (eof === "absent") return entry;
  const taken = ["op", ...(fieldsOfOperation[op] ?? [])];
  const kept = Object.entries(entry).filter(([name]) => taken.includes(name));
  const needed = op === "rename" || op === "copy" ? { from: "a.txt" } : {};
  const content = op === "replace" ? { content: { text: "whole\n" } } : {};
  return {
    ...needed,
    ...content,
    ...(op === "delete" ? { pre: "right-sha256" } : {}),
    ...Object.fromEntries(kept),
  };
}

const wildCase = fc.record({
  tree: fc.record(
    {
      "a.txt": fileBytes,
      "b.txt": fileBytes,
      "d/c.txt": fileBytes,
      d: fc.constant(Buffer.from("d\n")),
    },
    { requiredKeys: ["a.txt"] },
  ),
  isExecutable: fc.boolean(),
  /** What became of `a.txt` since the set was made; the tree from then may still be there to read. */
  changed: mostly<Buffer | null>(null, 2, fileBytes),
  hasBase: fc.boolean(),
  entries: fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 3, arbitrary: fc.record({ "a.txt": plainEdit }) },
    { weight: 3, arbitrary: fc.dictionary(path, fileEntry, { maxKeys: 2 }) },
  ),
  patches: fc.array(patch, { maxLength: 5 }),
  onOneFile: fc.boolean(),
  mode: fc.constantFrom("lines", "lines", "exact"),
  coordinates: fc.constantFrom("snapshot", "snapshot", "sequential"),
  isHead: fc.boolean(),
  allowedPaths: fc.constantFrom(
    undefined,
    undefined,
    undefined,
    ["a.txt", "d/**"],
    ["*.txt"],
    ["d/"],
  ),
});

type WildCase = typeof wildCase extends fc.Arbitrary<infer T> ? T : never;

export const wildVector = wildCase.map(vectorOf);

function vectorOf({ tree, isExecutable, entries, patches, ...rest }: WildCase) {
  const link = { text: "a.txt", mode: "120000" };
  const mode = isExecutable ? "100755" : "100644";
  const listed = (of: object) =>
    Object.fromEntries(
      Object.entries(of).map(([path, bytes]) => [path, { base64: bytes.toString("base64"), mode }]),
    );
  const now = rest.changed === null ? tree : { ...tree, "a.txt": rest.changed };
  const hashed = Object.entries(entries).map(([path, entry]) => [
    path,
    withHashes(entry, path, tree as Record<string, Buffer>),
  ]);
  return {
    files: { ...listed(now), link },
    ...(rest.hasBase ? { base_files: { ...listed(tree), link } } : {}),
    policy: {
      base_is_head: rest.isHead,
      ...(rest.allowedPaths === undefined ? {} : { allowed_paths: rest.allowedPaths }),
    },
    set: {
      schema: "aipatch/1",
      id: "s",
      task_id: "t",
      mode: rest.mode,
      coordinates: rest.coordinates,
      base: {},
      files: Object.fromEntries(hashed),
      patches: rest.onOneFile ? patches.map((patch) => ({ ...patch, file: "a.txt" })) : patches,
    },
    after: {},
  };
}

function withHashes(entry: Record<string, unknown>, path: string, tree: Record<string, Buffer>) {
  const { pre, post, from, ...rest } = entry;
  const before = tree[typeof from === "string" ? from : path] ?? Buffer.from("none");
  const hash = (name: string, of: Buffer): unknown =>
    ({
      "right-sha256": { sha256: sha256(of) },
      "wrong-sha256": { sha256: "0".repeat(64) },
      "right-blob": { blob: gitBlob(of) },
      "right-mode": { mode: "100644" },
      absent: "absent",
      empty: {},
    })[name];
  return {
    ...rest,
    ...(from === undefined ? {} : { from }),
    ...(typeof pre === "string" ? { pre: hash(pre, before) } : {}),
    ...(typeof post === "string" ? { post: hash(post, tree[path] ?? before) } : {}),
  };
}
