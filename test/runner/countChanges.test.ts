import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { finishPatch, patchRequest, setOf } from "./kit/patchRuns.ts";
import { makeRepository } from "./kit/repositories.ts";
import { openRunner } from "./kit/runners.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("a run of a patch set", () => {
  it("counts the lines that a renamed file gains and loses", async () => {
    const lines = Array.from({ length: 20 }, (_, at) => `line ${at}\n`);
    const repository = makeRepository({ "old.txt": lines.join("") });
    const opened = await openRunner({ role: "patches", repositories: [repository] });
    const set = setOf(repository, {
      "new.txt": { op: "rename", from: "old.txt", pre: { sha256: sha256(lines.join("")) } },
    });
    set.patches.push({
      task_id: set.task_id,
      file: "new.txt",
      operation: "replace-block",
      start: 3,
      end: 5,
      block: "x\n",
      metadata: { provider: "test" },
    });

    const { report } = await finishPatch(opened, patchRequest(repository, set));

    expect(report).toMatchObject({
      kind: "applied",
      changes: [{ path: "new.txt", linesBefore: 20, added: 1, removed: 3 }],
    });
  });
});
