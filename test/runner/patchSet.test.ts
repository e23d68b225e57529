import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildPatchSet } from "../../apps/agent-runner/agent-run/patchSet.ts";
import { createBaseRepository } from "../../apps/agent-runner/git/baseRepository.ts";
import { resolveSource } from "../../apps/agent-runner/git/localSource.ts";
import { collectChanges } from "../../apps/agent-runner/git/worktreeChanges.ts";
import { type PatchSet, patchSetSchema } from "../../shared/contracts/aiPatch.ts";
import { applyPatchSet } from "../../shared/patch/apply.ts";
import type { TreeFile } from "../../shared/patch/treeFile.ts";
import { makeRepository, temporaryFolder, writeFiles } from "./kit/repositories.ts";

type Content = Record<string, Uint8Array>;

/** The patch set between the commit of a repository and a work tree that holds these files. */
async function setBetween(before: Content, after: Content) {
  const repository = makeRepository(before);
  const source = await resolveSource(
    { kind: "local", path: repository },
    { roots: [repository], bundles: null },
  );
  const folder = temporaryFolder("base");
  const base = await createBaseRepository(join(folder, "base.git"), source);
  const workTree = join(folder, "tree");
  writeFiles(workTree, { ".keep": "" });
  rmSync(join(workTree, ".keep"));
  writeFiles(workTree, after);
  for (const path of Object.keys(after)) chmodSync(join(workTree, path), 0o644);
  const place = { ...base, workTree, indexFile: join(folder, "index") };
  const { changes, treeId } = await collectChanges({
    ...{ place, commit: source.commit, rules: "none", aside: join(folder, "aside") },
    maxFileBytes: 1e9,
  });
  const naming = { executionId: "exec_1", taskId: "task_1", provider: "x", commit: source.commit };
  return (await buildPatchSet(place, changes, treeId, naming)).set;
}

async function apply(set: PatchSet, before: Content): Promise<Content> {
  const outcome = await applyPatchSet(set, (path) => asFile(before[path]), {});
  if (outcome.kind === "refused") return expect.fail(JSON.stringify(outcome.faults));
  const made = { ...before };
  const files = outcome.kind === "applied" ? outcome.files : [];
  for (const [path, file] of files)
    if (file === null) delete made[path];
    else made[path] = file.bytes;
  return made;
}

const readable = (files: Content): Record<string, string> =>
  Object.fromEntries(
    Object.entries(files).map(([path, bytes]) => [path, Buffer.from(bytes).toString("latin1")]),
  );

const asFile = (bytes: Uint8Array | undefined): TreeFile | undefined =>
  bytes === undefined ? undefined : { bytes, mode: "100644" };

describe("the patch set of a run", () => {
  it("makes the one tree from the other, byte for byte", async () => {
    const line = fc.constantFrom(
      "a",
      "b",
      "-- x",
      "+++ y",
      "@@ -1 +1 @@",
      "\\ No newline",
      "é",
      "",
      "a\r",
      "diff --git a/a b/a",
      "x\rdiff --git y",
    );
    const text = fc
      .tuple(fc.array(line, { maxLength: 12 }), fc.boolean())
      .map(([lines, end]) => Buffer.from(lines.join("\n") + (end && lines.length > 0 ? "\n" : "")));
    const odd = fc.constantFrom(
      Buffer.from([0, 1, 2, 10]),
      Buffer.from("latin \xe9\nx\n", "latin1"),
      Buffer.from("\ufeffbom\n"),
      Buffer.from(`late ${"x".repeat(9000)}\0\n`),
    );
    const tree = fc.dictionary(
      fc.constantFrom("a", "b.txt", "c/d", "c/e f", "ü"),
      fc.oneof({ weight: 6, arbitrary: text }, { weight: 1, arbitrary: odd }),
    );
    await fc.assert(
      fc.asyncProperty(tree, tree, async (before, after) => {
        const set = await setBetween(before, after);

        const made = await apply(patchSetSchema.parse(JSON.parse(JSON.stringify(set))), before);

        expect(readable(made)).toEqual(readable(after));
      }),
      { numRuns: 60 },
    );
  });

  it("says a change of lines by lines, with what they replace", async () => {
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index}\n`);
    const changed = lines.with(9, "LINE 9\n").toSpliced(20, 1).concat("last");

    const set = await setBetween(
      { a: Buffer.from(lines.join("")) },
      { a: Buffer.from(changed.join("")) },
    );

    expect(set.patches).toMatchObject([
      {
        operation: "replace-block",
        start: 10,
        end: 10,
        block: "LINE 9\n",
        expect: { block: "line 9\n" },
      },
      { operation: "replace-block", start: 21, end: 21, block: "", expect: { block: "line 20\n" } },
      { operation: "insert-after", line: 40, block: "last" },
    ]);
  });

  it("says a wholly different file as a whole", async () => {
    const numbers = (seed: number) =>
      Buffer.from(Array.from({ length: 3000 }, (_, index) => `${index * seed}\n`).join(""));

    const set = await setBetween({ a: numbers(7) }, { a: numbers(11) });

    expect(set.files.a).toMatchObject({ op: "replace", mode: "100644" });
    expect(set.patches).toEqual([]);
  });
});
