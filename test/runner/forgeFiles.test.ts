import { chmodSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { maxFilesBytes } from "../../shared/contracts/forgeFiles.ts";
import { commitAll, git, makeRepository } from "./kit/repositories.ts";
import { openRunner } from "./kit/runners.ts";

describe("the files of a commit", () => {
  async function opened() {
    const repository = makeRepository({ "a.bin": Uint8Array.of(0, 255, 10), "run.sh": "x\n" });
    const module = makeRepository({ "inner.txt": "inner\n" });
    chmodSync(join(repository, "run.sh"), 0o755);
    symlinkSync("run.sh", join(repository, "link"));
    git(
      repository,
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "--quiet",
      "add",
      module,
      "sub",
    );
    const commit = commitAll(repository, "all kinds");
    const { client } = await openRunner({ role: "patches", repositories: [repository] });
    const source = { kind: "local", path: repository };
    const read = async (wanted: object) =>
      (await client.answer("POST", "/forge/files", { source, commit, ...wanted })).body;
    return { repository, read };
  }

  it("are told with their modes; a link with its target, a submodule as such", async () => {
    const { read } = await opened();

    expect(await read({ paths: ["a.bin", "run.sh", "link", "sub", "sub/inner.txt"] })).toEqual({
      ok: true,
      value: {
        files: [
          { kind: "file", path: "a.bin", mode: "100644", base64: "AP8K" },
          { kind: "file", path: "run.sh", mode: "100755", base64: btoa("x\n") },
          { kind: "file", path: "link", mode: "120000", base64: btoa("run.sh") },
          { kind: "submodule", path: "sub" },
          { kind: "absent", path: "sub/inner.txt" },
        ],
      },
    });
  });

  it.each<[string, object, string]>([
    ["outside the roots", { source: { kind: "local", path: "/" } }, "source_not_allowed"],
    ["of no full commit id", { commit: "HEAD" }, "invalid_request"],
    ["of an unknown commit", { commit: "1".repeat(40) }, "source_unreadable"],
  ])("%s are refused", async (_, wrong, code) => {
    const { read } = await opened();

    expect(await read({ paths: ["run.sh"], ...wrong })).toMatchObject({ error: { code } });
  });

  it("are refused together when they are too large, each one counted where it stands", async () => {
    const { repository, read } = await opened();
    const half = Buffer.alloc(maxFilesBytes / 2, "x");
    writeFileSync(join(repository, "one.txt"), half);
    writeFileSync(join(repository, "two.txt"), half);
    writeFileSync(join(repository, "three.txt"), "y");
    const commit = commitAll(repository, "large");

    expect(await read({ commit, paths: ["one.txt", "two.txt"] })).toMatchObject({ ok: true });
    expect(await read({ commit, paths: ["one.txt", "two.txt", "three.txt"] })).toMatchObject({
      error: { code: "files_too_large" },
    });
  });
});
