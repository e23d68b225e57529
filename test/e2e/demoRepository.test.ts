import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  fingerprint,
  git,
  makeDemoRepository,
  openOwnRepository,
} from "../../scripts/demo/repository.ts";

let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "switchyard-repository-")));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

async function repository(name: string): Promise<string> {
  const made = path.join(folder, name);
  mkdirSync(made);
  await makeDemoRepository(made);
  return made;
}

/** What git sets for a hook, for an alias and for `git rebase --exec`. */
const underHookOf = (other: string) => {
  vi.stubEnv("GIT_DIR", path.join(other, ".git"));
  vi.stubEnv("GIT_WORK_TREE", other);
  vi.stubEnv("GIT_INDEX_FILE", path.join(other, ".git/index"));
  vi.stubEnv("GIT_OBJECT_DIRECTORY", path.join(other, ".git/objects"));
  vi.stubEnv("GIT_PREFIX", "src/");
};

describe("a demo that is run from a git hook", () => {
  it("leaves the repository of the hook alone and makes its own", async () => {
    const hooked = await repository("hooked");
    const before = await fingerprint(hooked);

    underHookOf(hooked);
    const made = await repository("made");

    expect(await git(made, "rev-list", "--count", "HEAD")).toBe("1");
    expect(await git(made, "rev-parse", "--show-toplevel")).toBe(made);
    vi.unstubAllEnvs();
    expect(await fingerprint(hooked)).toBe(before);
  });

  it("looks at the repository that --repo names, not at that of the hook", async () => {
    const hooked = await repository("hooked");
    const own = await repository("own");

    underHookOf(hooked);

    expect(await openOwnRepository(own)).toBe(own);
  });
});

describe("the demo's own repository", () => {
  it("is the same whatever a person's settings say", async () => {
    const settings = path.join(folder, "gitconfig");
    writeFileSync(path.join(folder, "ignored"), "*.js\n");
    writeFileSync(
      settings,
      `[commit]\n gpgsign = true\n[gpg]\n program = /bin/false\n[init]\n defaultObjectFormat = sha256\n` +
        `[core]\n excludesFile = ${folder}/ignored\n autocrlf = true\n hooksPath = ${folder}/hooks\n`,
    );
    const plain = await repository("plain");
    vi.stubEnv("GIT_CONFIG_GLOBAL", settings);
    vi.stubEnv("GIT_DEFAULT_HASH", "sha256");

    const made = await repository("made");

    expect(await git(made, "rev-parse", "HEAD^{tree}")).toBe(
      await git(plain, "rev-parse", "HEAD^{tree}"),
    );
    expect(await git(made, "rev-parse", "--show-object-format")).toBe("sha1");
  });
});

describe("a person's own repository", () => {
  it("is read with that person's settings", async () => {
    const own = await repository("own");
    const settings = path.join(folder, "gitconfig");
    writeFileSync(path.join(folder, "ignored"), "notes.txt\n");
    writeFileSync(settings, `[core]\n excludesFile = ${folder}/ignored\n`);
    writeFileSync(path.join(own, "notes.txt"), "mine\n");

    vi.stubEnv("GIT_CONFIG_GLOBAL", settings);

    expect(await git(own, "status", "--porcelain")).toBe("");
  });
});
