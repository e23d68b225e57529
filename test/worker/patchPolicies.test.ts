import { beforeEach, describe, expect, it } from "vitest";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { secretSamples } from "../patch/secretSamples.ts";
import { approvalWorld, codeOf } from "./approvalWorld.ts";

let world: Awaited<ReturnType<typeof approvalWorld>>;

beforeEach(async () => {
  world = await approvalWorld();
});

const newFile = (text: string): PatchSet["files"][string] => ({ op: "create", content: { text } });
const [sample] = secretSamples();
const secret = { rule: sample?.rule ?? "", text: sample?.text ?? "", secret: sample?.secret ?? "" };

/** A task of a project with this policy; its agent leaves these files. */
async function taskWith(patchPolicy: object, files: PatchSet["files"]) {
  const projectId = await world.tenant.project({ patchPolicy });
  world.leave(files);
  return world.submit({ projectId });
}

describe("a project's patch policy", () => {
  it("protects paths of its own beside the built-in ones, and can take none of those away", async () => {
    const protecting = { protectedPaths: ["Billing/**"] };

    for (const path of ["billing/tax.ts", ".npmrc"]) {
      const id = await taskWith(protecting, { [path]: newFile("x\n") });
      const { waiting } = await world.tenant.until(id, "waiting_input");
      expect(waiting?.reason).toContain(`${path}: a`);
    }

    const id = await taskWith(protecting, { "src/tax.ts": newFile("x\n") });
    expect((await world.tenant.until(id, "completed")).commit).not.toBeNull();
  });

  it("asks a person about a set that is too large, and names the size", async () => {
    const id = await taskWith(
      { approvalAbove: { changedLines: 3 } },
      { "a.ts": newFile("1\n2\n3\n4\n") },
    );

    const { patch } = await world.tenant.until(id, "waiting_input");

    expect((await world.show(patch?.id ?? "")).approvalReasons).toEqual([
      { code: "too_large", file: null, message: "4 changed lines, up to 3 need nobody" },
    ]);
  });

  it("asks about new binary content, lets it through, or refuses it", async () => {
    const files = { "logo.png": { op: "create", content: { base64: btoa("\0png") } } } as const;

    const asked = await taskWith({}, files);
    const allowed = await taskWith({ binary: "allowed" }, files);
    const refused = await taskWith({ binary: "refused" }, files);

    await world.tenant.until(asked, "waiting_input");
    await world.tenant.until(allowed, "completed");
    const { patch, outcome } = await world.tenant.until(refused, "escalated");
    expect(outcome?.code).toBe("patch_rejected");
    expect(patch?.faults).toMatchObject([{ file: "logo.png", code: "binary_file" }]);
  });

  it("is refused when it names what there is not", async () => {
    const post = (patchPolicy: object) =>
      world.tenant.call("POST", "/api/v1/projects", {
        name: "shop",
        source: { kind: "local", path: "/repos/sample" },
        settings: { patchPolicy },
      });

    expect(await codeOf(await post({ allowProtected: true }))).toBe("422 invalid_request");
    expect(await codeOf(await post({ binary: "maybe" }))).toBe("422 invalid_request");
    expect(await codeOf(await post({ approvalAbove: { changedShare: 2 } }))).toBe(
      "422 invalid_request",
    );
  });
});

describe("a patch that adds a secret", () => {
  it("is refused with rule, file and line, before anything is made of it, and shown to nobody", async () => {
    const id = await taskWith(
      {},
      {
        "src/key.ts": newFile(`// a key\n${secret.text}\n`),
        "../out": newFile("x"),
      },
    );

    const task = await world.tenant.until(id, "escalated");

    expect(task.outcome?.code).toBe("patch_rejected");
    expect(task.patch?.faults).toEqual([
      expect.objectContaining({ file: "../out", code: "bad_path" }),
      {
        index: null,
        file: "src/key.ts",
        code: "secret_found",
        message: `line 2 holds a secret (${secret.rule})`,
      },
    ]);
    expect(world.runner.patches.size).toBe(0);
    const shown = await world.show(task.patch?.id ?? "");
    expect(shown).toMatchObject({ status: "rejected", set: null });
    expect(await codeOf(await world.tenant.call("GET", `/api/v1/tasks/${id}/patch`))).toBe(
      "403 forbidden",
    );
    expect(JSON.stringify([task, shown])).not.toContain(secret.secret);
  });

  it("goes through where the project leaves out the path or the rule", async () => {
    const files = { "test/fixtures/key.ts": newFile(`${secret.text}\n`) };

    const byPath = await taskWith({ secretScan: { ignorePaths: ["test/fixtures"] } }, files);
    const byRule = await taskWith({ secretScan: { ignoreRules: [secret.rule] } }, files);

    await world.tenant.until(byPath, "completed");
    await world.tenant.until(byRule, "completed");
  });
});
