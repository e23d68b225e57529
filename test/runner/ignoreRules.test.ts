import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { combineIgnoreFiles } from "../../apps/agent-runner/git/ignoreRules.ts";
import { git, temporaryFolder, writeFiles } from "./kit/repositories.ts";

type Files = Record<string, string>;

/** A repository with nothing tracked, so that every file is one that rules decide about. */
function emptyRepository(files: Files): string {
  const folder = temporaryFolder("ignore");
  git(folder, "init", "--quiet");
  writeFiles(folder, files);
  return folder;
}

const list = (folder: string, rules: string): string[] =>
  git(folder, "-c", "core.quotePath=false", "ls-files", "--others", "-z", rules)
    .split("\0")
    .filter((path) => path !== "")
    .sort();

/** What git shows by the files themselves, and what it shows by our one list. */
function compare(ignoreFiles: Files, paths: readonly string[]) {
  const files = Object.fromEntries(paths.map((path) => [path, ""]));
  const folder = emptyRepository({ ...files, ...ignoreFiles });
  const excludes = join(folder, ".git", "combined");
  const parts = Object.entries(ignoreFiles).map(([path, text]) => ({
    folder: Buffer.from(path.slice(0, -".gitignore".length)).toString("latin1"),
    text: Buffer.from(text).toString("latin1"),
  }));
  writeFileSync(excludes, Buffer.from(combineIgnoreFiles(parts), "latin1"));
  return {
    byFiles: list(folder, "--exclude-per-directory=.gitignore"),
    byList: list(folder, `--exclude-from=${excludes}`),
  };
}

const tree = ["a", "b.log", "c/a", "c/b.log", "c/d/a", "c/d/b.log", "c/d/e/a", "f/a", "f/c/a"];

const cases: Record<string, Files> = {
  "a name at any depth": { ".gitignore": "a\n" },
  "a name below a folder": { "c/.gitignore": "a\n" },
  "a pattern with a star": { "c/.gitignore": "*.log\n" },
  "an anchored pattern": { "c/.gitignore": "/a\n" },
  "a path": { "c/.gitignore": "d/a\n" },
  "a folder": { "c/.gitignore": "d/\n" },
  "a file named like a folder pattern": { "c/.gitignore": "a/\n" },
  "two stars in front": { "c/.gitignore": "**/e\n" },
  "two stars behind": { "c/.gitignore": "d/**\n" },
  "two stars in the middle": { ".gitignore": "c/**/a\n" },
  "stars alone": { "c/.gitignore": "**\n" },
  "a negation in the same file": { ".gitignore": "*.log\n!c/b.log\n" },
  "a negation further down": { ".gitignore": "a\n", "c/d/.gitignore": "!a\n" },
  "a negation below an ignored folder": { ".gitignore": "/c/\n", "c/.gitignore": "!*\n" },
  "a rule further down against a negation": { ".gitignore": "!a\n", "c/.gitignore": "a\n" },
  "an escaped mark": { "c/.gitignore": "\\!x\n\\#y\n", "c/!x": "", "c/#y": "" },
  "an escaped star": { "c/.gitignore": "\\*\n", "c/*": "" },
  "trailing spaces": { "c/.gitignore": "a   \n" },
  "an escaped trailing space": { "c/.gitignore": "x\\ \n", "c/x ": "", "c/x": "" },
  "comments and empty lines": { "c/.gitignore": "# a\n\n   \nb.log\n" },
  "Windows line ends": { "c/.gitignore": "a\r\n*.log\r\n" },
  "a byte order mark": { "c/.gitignore": "\ufeffa\n" },
  "no newline at the end": { "c/.gitignore": "a" },
  "a slash alone": { "c/.gitignore": "/\n" },
  "a character class": { "c/.gitignore": "[ab]\n" },
  "folders with signs in their names": {
    "s*r/.gitignore": "/a\n",
    "s*r/a": "",
    "sxr/a": "",
    "[x]/.gitignore": "a\n",
    "[x]/a": "",
    "x/a": "",
    "ba\\ck/.gitignore": "a\n",
    "ba\\ck/a": "",
    "ü ö/.gitignore": "ä\n",
    "ü ö/ä": "",
  },
};

describe("the ignore rules of a commit as one list", () => {
  it.each(Object.keys(cases))("hide what git hides: %s", (name) => {
    const files = cases[name] ?? {};
    const rules = Object.entries(files).filter(([path]) => path.endsWith(".gitignore"));
    const others = Object.keys(files).filter((path) => !path.endsWith(".gitignore"));

    const { byFiles, byList } = compare(Object.fromEntries(rules), [...tree, ...others]);

    expect(byList).toEqual(byFiles);
  });

  it("hide what git hides for patterns nobody thought of", () => {
    const part = fc.constantFrom(
      "a",
      "b.log",
      "c",
      "d",
      "e",
      "*",
      "**",
      "*.log",
      "?",
      "[a-c]",
      "\\a",
    );
    const pattern = fc
      .tuple(
        fc.constantFrom("", "!"),
        fc.constantFrom("", "/"),
        fc.array(part, { minLength: 1, maxLength: 3 }),
        fc.constantFrom("", "/", " ", "\\ "),
      )
      .map(([mark, start, parts, end]) => `${mark}${start}${parts.join("/")}${end}`);
    const text = fc.array(pattern, { maxLength: 5 }).map((lines) => lines.join("\n"));
    const files = fc.dictionary(
      fc.constantFrom(".gitignore", "c/.gitignore", "c/d/.gitignore", "f/.gitignore"),
      text,
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(files, (ignoreFiles) => {
        const { byFiles, byList } = compare(ignoreFiles, tree);
        expect(byList).toEqual(byFiles);
      }),
      { numRuns: 120 },
    );
  });
});
