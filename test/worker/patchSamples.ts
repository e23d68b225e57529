import type { PatchSet } from "../../shared/contracts/aiPatch.ts";

export type Tree = Record<string, string>;

/** A set that edits, makes and removes a file, with the files before and after it. */
export const before: Tree = { "a.txt": "1\n2\n3\n4\n5\n", "old.txt": "old\n" };
export const after: Tree = { "a.txt": "1\n3\n4\n5\n", "new.txt": "new\n" };
export const set = {
  files: {
    "a.txt": { op: "edit" },
    "new.txt": { op: "create", content: { text: "new\n" } },
    "old.txt": {
      op: "delete",
      pre: { sha256: "01d09d19c2139a46aebfb577780d123d7396e97201bc7ead210a2ebff8239dee" },
    },
  } as PatchSet["files"],
  patches: [
    {
      task_id: "task_1",
      file: "a.txt",
      operation: "replace-block" as const,
      start: 2,
      end: 2,
      block: "",
      metadata: { provider: "gemini" },
    },
  ],
};

/** A patch of one line. */
export const edit = {
  task_id: "task_1",
  file: "a.txt",
  operation: "replace-block" as const,
  start: 2,
  end: 2,
  block: "TWO\n",
  metadata: { provider: "gemini" },
};
