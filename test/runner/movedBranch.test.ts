import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { edited, eight, lines, openBase, pre, replaceLine } from "./kit/movedBranches.ts";
import { newFile } from "./kit/patchRuns.ts";
import { commitAll, git, writeFiles } from "./kit/repositories.ts";

const secret = "password-of-the-doorbell";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const doorbell = { url: "http://127.0.0.1:9/", token: secret };

/** The tree of a repository's files, made by git. */
function treeOf(repository: string, files: Record<string, string | Uint8Array>): string {
  writeFiles(repository, files);
  git(repository, "add", "--all", "--force");
  const tree = git(repository, "write-tree");
  git(repository, "reset", "--quiet", "--hard");
  return tree;
}

describe("a patch set that is brought onto a later commit", () => {
  it("makes the tree of both, which the commands run on, and tells what it does to that commit", async () => {
    const { repository, apply } = await edited();
    writeFiles(repository, {
      "a.txt": lines(0, 1, 2, 3, 4, 5, 6, 7, "EIGHT"),
      "theirs.txt": "x\n",
    });
    const onto = commitAll(repository, "somebody else's");
    const argv = ["node", "-e", `console.log(require("fs").readFileSync("a.txt", "utf8"))`];
    const commands = [{ name: "show", argv, timeoutMs: 20_000 }];

    const { report } = await apply(onto, { validation: { commands } });

    const merged = lines(0, 1, "TWO", 3, 4, 5, 6, 7, "EIGHT");
    expect(report).toMatchObject({
      kind: "applied",
      treeId: treeOf(repository, { "a.txt": merged, "new.txt": "new\n" }),
      alreadyApplied: false,
      validation: { status: "passed", commands: [{ tail: `${merged}\n` }] },
      changes: [
        { path: "a.txt", linesBefore: 9, added: 1, removed: 1 },
        { path: "new.txt", linesBefore: 0, added: 1, removed: 0 },
      ],
    });
  });

  it("is found applied where somebody has made all of the same change, and more", async () => {
    const edits = lines(1, "TWO", 3, 4, 5, 6, 7, 8);
    const { repository, apply } = await openBase({ "a.txt": eight }, (folder) => [
      {
        "a.txt": { op: "edit", pre: pre(folder, "a.txt"), post: { sha256: sha256(edits) } },
        "new.txt": { ...newFile("new\n"), post: { sha256: sha256("new\n") } },
      },
      [replaceLine("a.txt", 2, "TWO")],
    ]);
    writeFiles(repository, { "a.txt": edits, "theirs.txt": "x\n" });
    const half = commitAll(repository, "half of it");
    writeFiles(repository, { "new.txt": "new\n" });
    const whole = commitAll(repository, "the rest");

    expect((await apply(half)).report).toMatchObject({
      kind: "applied",
      alreadyApplied: false,
      changes: [{ path: "new.txt" }],
    });
    expect((await apply(whole, {}, "ps_2")).report).toMatchObject({
      kind: "applied",
      alreadyApplied: true,
      treeId: git(repository, "rev-parse", "HEAD^{tree}"),
      changes: [],
    });
  });

  it("is found applied where somebody has removed and made the same files", async () => {
    const { repository, apply } = await openBase({ "a.txt": "a\n", "b.txt": "b\n" }, (folder) => [
      { "a.txt": { op: "delete", pre: pre(folder, "a.txt") }, "new.txt": newFile("new\n") },
    ]);
    git(repository, "rm", "--quiet", "a.txt");
    writeFiles(repository, { "new.txt": "new\n", "b.txt": "theirs\n" });
    const onto = commitAll(repository, "the same");

    expect((await apply(onto)).report).toMatchObject({
      kind: "applied",
      alreadyApplied: true,
      treeId: git(repository, "rev-parse", "HEAD^{tree}"),
      changes: [],
    });
  });

  it("is refused with the conflict marked, and no secret in it", async () => {
    const { repository, apply } = await edited();
    writeFiles(repository, {
      "a.txt": lines(1, `two is ${secret}`, 3, 4, 5, 6, 7, 8, "nine", "ten"),
    });
    const onto = commitAll(repository, "the same line");

    const { report } = await apply(onto, { doorbell });

    if (report.kind !== "refused") return expect.fail(report.kind);
    expect(report.faults).toMatchObject([
      { index: null, file: "a.txt", code: "conflict", message: expect.stringContaining("2,1") },
    ]);
    const [conflict, ...others] = report.conflicts ?? [];
    expect(others).toEqual([]);
    expect(conflict).toMatchObject({ file: "a.txt", hunks: [{ ours: { start: 2, lines: 1 } }] });
    expect(conflict?.marked).toBe(
      [
        "1\n<<<<<<< a.txt\ntwo is [secret:DOORBELL_TOKEN]\n||||||| base\n2\n=======",
        "TWO\n>>>>>>> patch\n3\n4\n5\n6\n7",
      ].join("\n"),
    );
  });

  it("keeps what is shown of its conflicts within bounds", async () => {
    const wide = lines(...Array.from({ length: 2_000 }, (_, at) => `${at} ${"x".repeat(60)}`));
    const { repository, apply } = await openBase({ "a.txt": wide, "b.txt": wide }, (folder) => [
      Object.fromEntries(
        ["a.txt", "b.txt"].map((path) => [
          path,
          {
            op: "replace" as const,
            pre: pre(folder, path),
            content: { text: wide.replaceAll("x", "y") },
          },
        ]),
      ),
    ]);
    writeFiles(repository, {
      "a.txt": wide.replaceAll("x", "z"),
      "b.txt": wide.replaceAll("x", "z"),
    });
    const onto = commitAll(repository, "all lines");

    const { report } = await apply(onto);

    if (report.kind !== "refused") return expect.fail(report.kind);
    expect(report.conflicts?.map(({ marked }) => marked?.length ?? null)).toEqual([65_536, null]);
  });

  it("is refused where they renamed, deleted or made what it needs", async () => {
    const { repository, apply } = await edited();
    git(repository, "mv", "a.txt", "renamed.txt");
    writeFiles(repository, { "new.txt": "theirs\n" });
    const onto = commitAll(repository, "in the way");

    expect((await apply(onto)).report).toMatchObject({
      kind: "refused",
      faults: [
        { file: "a.txt", code: "missing_file" },
        { file: "new.txt", code: "file_exists" },
      ],
    });
  });

  it("renames what they changed, with their change in it", async () => {
    const { repository, apply } = await openBase({ "a.txt": eight }, (folder) => [
      { "b.txt": { op: "rename", from: "a.txt", pre: pre(folder, "a.txt") } },
      [replaceLine("b.txt", 2, "TWO")],
    ]);
    writeFiles(repository, { "a.txt": lines(1, 2, 3, 4, 5, 6, 7, "EIGHT") });
    const onto = commitAll(repository, "another line");

    const { report } = await apply(onto);

    git(repository, "mv", "a.txt", "b.txt");
    expect(report).toMatchObject({
      kind: "applied",
      treeId: treeOf(repository, { "b.txt": lines(1, "TWO", 3, 4, 5, 6, 7, "EIGHT") }),
    });
  });

  it("is refused on a branch that was rewritten, and on a commit that is not there", async () => {
    const { repository, base, apply } = await edited();
    git(repository, "checkout", "--quiet", "--orphan", "anew");
    const orphan = commitAll(repository, "no history");
    const conflict = { index: null, file: null, code: "conflict" };

    for (const [id, onto] of [
      ["ps_1", orphan],
      ["ps_2", "0".repeat(40)],
    ] as const) {
      const { report, events } = await apply(onto, {}, id);
      expect(report).toMatchObject({ kind: "refused", faults: [conflict] });
      expect(JSON.stringify(report)).toContain(`${onto} does not go on from ${base}`);
      expect(events).toEqual([]);
    }
  });

  it("is applied as it is when that is its own base", async () => {
    const { base, apply } = await edited();

    expect((await apply(base)).report).toMatchObject({ kind: "applied", alreadyApplied: false });
  });
});
