import { beforeEach, describe, expect, it } from "vitest";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { fakeBase } from "../fakes/fakeRuns.ts";
import { secretSamples } from "../patch/secretSamples.ts";
import { approvalWorld, codeOf } from "./approvalWorld.ts";
import { newTenant } from "./world.ts";

let world: Awaited<ReturnType<typeof approvalWorld>>;
let patchSetId: string;

const main = "refs/heads/main";
const head = "4".repeat(40);
const lines = (...all: string[]) => all.map((line) => `${line}\n`).join("");
const five = ["one", "two", "three", "four", "five"];

beforeEach(async () => {
  world = await approvalWorld();
  world.runner.trees.set(fakeBase, { "a.txt": lines(...five) });
  world.runner.refs.set(main, head);
  patchSetId = await waiting({ ".github/ci.yml": { op: "create" }, "a.txt": { op: "edit" } }, [
    {
      task_id: "task_1",
      file: "a.txt",
      operation: "replace-block",
      start: 2,
      end: 2,
      block: "TWO\n",
      metadata: { provider: "gemini" },
    },
  ]);
});

async function waiting(files: PatchSet["files"], patches: PatchSet["patches"] = []) {
  world.leave(files, patches);
  const { patch } = await world.tenant.until(await world.submit(), "waiting_input", "escalated");
  return patch?.id ?? "";
}

const check = async (body: object = { ref: "main" }, id = patchSetId) =>
  (await world.tenant.call("POST", `/api/v1/patches/${id}/check`, body)).json();

describe("a dry run of a patch set", () => {
  it("tells what it would change on its base, and moves and writes nothing", async () => {
    world.runner.refs.set(main, fakeBase);
    const before = await world.show(patchSetId);
    const asked = world.runner.requests.length;

    expect(await check()).toEqual({
      kind: "applies",
      ref: main,
      commit: fakeBase,
      files: [
        { path: ".github/ci.yml", deleted: false },
        { path: "a.txt", deleted: false },
      ],
      shifts: [],
      merged: [],
      ontoCommit: null,
    });

    expect(world.runner.requests.slice(asked)).toEqual(["POST /forge/ref", "POST /forge/files"]);
    expect([...world.runner.refs]).toEqual([[main, fakeBase]]);
    expect(await world.show(patchSetId)).toEqual(before);
  });

  it("merges with what the ref has gone on to", async () => {
    world.runner.trees.set(head, { "a.txt": lines("zero", ...five) });

    expect(await check()).toMatchObject({ kind: "applies", commit: head, merged: ["a.txt"] });
  });

  it("tells the faults and the places of a conflict", async () => {
    world.runner.trees.set(head, { "a.txt": lines("one", "other", "three", "four", "five") });

    expect(await check()).toMatchObject({
      kind: "refused",
      faults: [{ file: "a.txt", code: "conflict" }],
      conflicts: [
        {
          file: "a.txt",
          hunks: [
            {
              base: { start: 2, lines: 1 },
              ours: { start: 2, lines: 1 },
              theirs: { start: 2, lines: 1 },
            },
          ],
        },
      ],
    });
  });

  it("is refused by a directory where it wants a file, unless it empties it", async () => {
    world.runner.trees.set(head, { "a.txt": lines(...five), ".github/ci.yml/x": "x\n" });

    expect(await check()).toMatchObject({
      kind: "refused",
      faults: [{ file: ".github/ci.yml", code: "file_exists" }],
      conflicts: [],
    });

    const blob = "587be6b4c3f93f93c489c0111bba5596147a26cb";
    const emptying = await waiting({
      ".github/ci.yml": { op: "create" },
      ".github/ci.yml/x": { op: "delete", pre: { blob } },
    });
    expect(await check({ ref: "main" }, emptying)).toMatchObject({ kind: "applies" });
  });

  it("takes the order's branch where none is named, and says when there is no such ref", async () => {
    const call = (body: object) =>
      world.tenant.call("POST", `/api/v1/patches/${patchSetId}/check`, body);
    expect(await codeOf(await call({}))).toBe("422 invalid_request");
    expect(await codeOf(await call({ ref: "nowhere" }))).toBe("422 invalid_request");
    expect(await codeOf(await call({ ref: "../main" }))).toBe("422 invalid_request");

    const { taskId } = await world.show(patchSetId);
    const ofOrder = `refs/heads/factory/${(await world.tenant.show(taskId)).orderId}`;
    world.runner.refs.set(ofOrder, fakeBase);

    expect(await check({})).toMatchObject({ kind: "applies", ref: ofOrder });
    expect(await check({ ref: ofOrder })).toMatchObject({ kind: "applies", ref: ofOrder });
  });

  it("is for its organization alone, and of no set that is withheld", async () => {
    const [sample] = secretSamples();
    const secret = await waiting({
      "key.ts": { op: "create", content: { text: `${sample?.text}\n` } },
    });
    const stranger = await newTenant();
    const path = `/api/v1/patches/${patchSetId}/check`;

    expect(await codeOf(await stranger.call("POST", path, {}))).toBe("404 patch_not_found");
    expect(
      await codeOf(await world.tenant.call("POST", `/api/v1/patches/${secret}/check`, {})),
    ).toBe("403 forbidden");
  });
});
