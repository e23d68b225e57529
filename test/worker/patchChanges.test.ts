import { beforeEach, describe, expect, it } from "vitest";
import { maxFilesBytes } from "../../shared/contracts/forgeFiles.ts";
import type { PatchFiles } from "../../shared/contracts/patchViews.ts";
import { fakeBase } from "../fakes/fakeRuns.ts";
import { secretSamples } from "../patch/secretSamples.ts";
import { approvalWorld, codeOf } from "./approvalWorld.ts";
import { newTenant } from "./world.ts";

let world: Awaited<ReturnType<typeof approvalWorld>>;

beforeEach(async () => {
  world = await approvalWorld();
  world.runner.trees.set(fakeBase, {
    "src/math.js": "export const add = 1;\nexport const two = 2;\n",
    "old name.txt": "stays\n",
  });
});

const edit = (block: string) => ({
  task_id: "task_1",
  file: "src/math.js",
  operation: "replace-block" as const,
  start: 1,
  end: 1,
  block,
  metadata: { provider: "gemini" },
});

/** The id of the patch set of a task whose agent left this; it is over when the task is. */
async function patchOf(...left: Parameters<typeof world.leave>): Promise<string> {
  world.leave(...left);
  const id = await world.submit();
  const { patch } = await world.tenant.until(id, "completed", "waiting_input", "escalated");
  return patch?.id ?? "";
}

const get = (path: string) => world.tenant.call("GET", `/api/v1/patches/${path}`);

describe("the diff of a patch set", () => {
  it("is one that git applies, for a viewer too", async () => {
    const id = await patchOf(
      {
        "src/math.js": { op: "edit" },
        "new name.txt": { op: "rename", from: "old name.txt" },
        "logo.png": { op: "create", content: { base64: btoa("\0png") } },
      },
      [edit("export const sum = 1;\n")],
    );
    const viewer = await world.as("viewer", "user:eve");

    const response = await viewer.call("GET", `/api/v1/patches/${id}/diff`);

    expect(response.headers.get("content-type")).toBe("text/x-diff");
    const text = await response.text();
    expect(text).toContain("diff --git a/logo.png b/logo.png\nnew file mode 100644\n");
    expect(text).toContain("\nGIT binary patch\nliteral 4\n");
    expect(text).toContain(
      "similarity index 100%\nrename from old name.txt\nrename to new name.txt\n",
    );
    expect(text).toContain(
      "--- a/src/math.js\n+++ b/src/math.js\n@@ -1,2 +1,2 @@\n-export const add = 1;\n+export const sum = 1;\n export const two = 2;\n",
    );
  });

  it("is where the view of the patch set says, and so are its files", async () => {
    const id = await patchOf({ "src/math.js": { op: "edit" } }, [edit("export const sum = 1;\n")]);

    const { links } = await world.show(id);

    const diff = await world.tenant.call("GET", links?.diff ?? "");
    expect(await diff.text()).toContain("+export const sum = 1;");
    const files = await world.tenant.call("GET", links?.files ?? "");
    expect(await files.json()).toMatchObject({ files: [{ path: "src/math.js" }] });
  });

  it("is of its base, also when the order has gone on", async () => {
    const id = await patchOf({ "src/math.js": { op: "edit" } }, [edit("export const sum = 1;\n")]);
    const { commit, baseCommit } = await world.show(id);

    expect([baseCommit, commit === null]).toEqual([fakeBase, false]);
    expect(await (await get(`${id}/diff`)).text()).toContain("-export const add = 1;");
  });

  it("is told apart from a set that does not apply to its base, and from one that is too large", async () => {
    const stale = await patchOf(
      { "src/math.js": { op: "edit", pre: { sha256: "0".repeat(64) } } },
      [edit("x\n")],
    );
    const large = await patchOf({ "large.txt": { op: "edit", mode: "100755" } });
    world.runner.trees.set(fakeBase, { "large.txt": "x".repeat(maxFilesBytes) });

    expect(await codeOf(await get(`${large}/diff`))).toBe("422 files_too_large");
    expect(await codeOf(await get(`${stale}/diff`))).toBe("409 patch_not_applicable");
  });
});

describe("the files of a patch set", () => {
  it("are shown before and after, with the diff", async () => {
    const id = await patchOf(
      {
        "src/math.js": { op: "edit" },
        "new name.txt": { op: "rename", from: "old name.txt" },
        "logo.png": { op: "create", mode: "100755", content: { base64: btoa("\0\xff") } },
      },
      [edit("export const sum = 1;\n")],
    );

    const shown = await (await get(`${id}/files`)).json<PatchFiles>();

    const stays = { mode: "100644", content: { text: "stays\n" } };
    expect(shown).toMatchObject({
      baseCommit: fakeBase,
      files: [
        {
          path: "logo.png",
          from: null,
          before: null,
          after: { mode: "100755", content: { base64: btoa("\0\xff") } },
        },
        {
          path: "new name.txt",
          from: { path: "old name.txt", kind: "rename" },
          before: stays,
          after: stays,
        },
        {
          path: "src/math.js",
          before: { content: { text: "export const add = 1;\nexport const two = 2;\n" } },
          after: { content: { text: "export const sum = 1;\nexport const two = 2;\n" } },
        },
      ],
    });
    expect(shown.diff).toBe(await (await get(`${id}/diff`)).text());
  });

  it("are for its organization alone, and withheld where the set adds a secret", async () => {
    const [sample] = secretSamples();
    const id = await patchOf({
      "key.ts": { op: "create", content: { text: `${sample?.text}\n` } },
    });
    const stranger = await newTenant();

    expect(await world.show(id)).toMatchObject({ set: null, links: null });
    for (const what of ["diff", "files"]) {
      expect(await codeOf(await get(`${id}/${what}`))).toBe("403 forbidden");
      expect(await codeOf(await stranger.call("GET", `/api/v1/patches/${id}/${what}`))).toBe(
        "404 patch_not_found",
      );
    }
    expect(world.runner.requests.filter((one) => one.endsWith("/forge/files"))).toEqual([]);
  });
});
