import { describe, expect, it } from "vitest";
import { outcomeOf, patchOf, replaceLine, setOf } from "./patchSets.ts";
import { applyOnDisk, contentOf, treeOnDisk } from "./workspace.ts";

/** The faults of the first patch script that the format's authors met, each on the bytes that showed it. */
const cases = [
  {
    fault: "a block without a final newline joined two lines",
    before: "a\nb\nc\n",
    patches: [replaceLine(2, "X")],
    after: "a\nX\nc\n",
  },
  {
    fault: "a block with a final newline left an extra blank line",
    before: "a\nb\nc\n",
    patches: [replaceLine(2, "X\n")],
    after: "a\nX\nc\n",
  },
  {
    fault: "blank lines inside an insert vanished",
    before: "a\nb\n",
    patches: [patchOf("insert-after", "x\n\n\ny", { line: 1 })],
    after: "a\nx\n\n\ny\nb\n",
  },
  {
    fault: "an append to a file without a final newline joined two lines",
    before: "a\nb",
    patches: [patchOf("append", "c")],
    after: "a\nb\nc",
  },
  {
    fault: "a CRLF file was rewritten to LF",
    before: "a\r\nb\r\n",
    patches: [replaceLine(1, "X\n")],
    after: "X\r\nb\r\n",
  },
  {
    fault: "the byte order mark was lost",
    before: "\ufeffa\nb\n",
    patches: [replaceLine(1, "X")],
    after: "\ufeffX\nb\n",
  },
  {
    fault: "the indentation of the first line was lost",
    before: "\ta\n",
    patches: [replaceLine(1, "    if x:\n        y\n")],
    after: "    if x:\n        y\n",
  },
  {
    fault: "an empty block could not delete",
    before: "a\nb\n",
    patches: [replaceLine(1, "")],
    after: "b\n",
  },
  {
    fault: "an earlier insert shifted the lines of a later patch",
    before: "1\n2\n3\n",
    patches: [patchOf("insert-before", "n\nn", { line: 1 }), replaceLine(3, "THREE")],
    after: "n\nn\n1\n2\nTHREE\n",
  },
];

describe("a fault of the first patch script", () => {
  it.each(cases)("stays away from the engine: $fault", async ({ before, patches, after }) => {
    const outcome = await outcomeOf(before, setOf(patches));

    expect(Buffer.from(outcome as string, "latin1").toString("utf8")).toBe(after);
  });

  it.each(cases)("stays away from the script: $fault", ({ before, patches, after }) => {
    const root = treeOnDisk({ f: before });

    const result = applyOnDisk(root, setOf(patches), "--base-is-head");

    expect(result).toMatchObject({ status: 0, json: { kind: "applied" } });
    expect(Buffer.from(contentOf(root).f ?? "", "latin1").toString("utf8")).toBe(after);
  });

  it("stays away: start after end was accepted", async () => {
    const set = setOf([patchOf("replace-block", "x", { start: 2, end: 1 })]);
    const root = treeOnDisk({ f: "a\nb\n" });

    expect(await outcomeOf("a\nb\n", set)).toEqual(["out_of_range"]);
    expect(applyOnDisk(root, set, "--base-is-head").status).toBe(1);
    expect(contentOf(root)).toEqual({ f: "a\nb\n" });
  });

  it("stays away: a path above the root was written", async () => {
    const set = setOf([patchOf("append", "x", {}, "../beside")]);
    const root = treeOnDisk({ f: "a\n" });

    expect(await outcomeOf("a\n", set)).toEqual(["bad_path"]);
    expect(applyOnDisk(root, set, "--base-is-head").status).toBe(1);
    expect(contentOf(`${root}/..`)).toEqual({ "tree/f": "a\n" });
  });

  it("stays away: the failure of the second operation left the first applied", async () => {
    const set = setOf([replaceLine(1, "X"), replaceLine(9, "Y")]);
    const root = treeOnDisk({ f: "a\n" });

    expect(await outcomeOf("a\n", set)).toEqual(["out_of_range"]);
    expect(applyOnDisk(root, set, "--base-is-head").status).toBe(1);
    expect(contentOf(root)).toEqual({ f: "a\n" });
  });

  it.each(["src/App.tsx", "Dockerfile", "Makefile", "LICENSE", ".gitignore"])(
    "stays away: %s was refused for its name",
    (file) => {
      const root = treeOnDisk({ [file]: "a\n" });

      const result = applyOnDisk(root, setOf([replaceLine(1, "b", file)]), "--base-is-head");

      expect(result.status).toBe(0);
      expect(contentOf(root)).toEqual({ [file]: "b\n" });
    },
  );
});
