/**
 * Every .gitignore of a commit as one list of patterns for `git ls-files --exclude-from`, so that the rules that
 * count are those of the commit and not what stands in a work tree now. The translation follows gitignore(5);
 * texts and paths are byte strings (latin1), since neither has to be UTF-8.
 */
export type IgnoreFile = {
  /** The folder that holds it, with a trailing slash; "" at the top. */
  folder: string;
  text: string;
};

export function combineIgnoreFiles(files: readonly IgnoreFile[]): string {
  const depth = ({ folder }: IgnoreFile) => folder.split("/").length;
  const fromTopDown = [...files].sort((one, other) => depth(one) - depth(other));
  const patterns = fromTopDown.flatMap((file) =>
    linesOf(file.text).flatMap((line) => inFolder(line, file.folder)),
  );
  return patterns.map((pattern) => `${pattern}\n`).join("");
}

const byteOrderMark = "\u00ef\u00bb\u00bf";

function linesOf(text: string): string[] {
  const body = text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text;
  return body
    .split("\n")
    .map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line))
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(withoutTrailingSpaces);
}

/** A pattern without an inner slash holds at any depth below its folder, one with a slash in the folder itself. */
function inFolder(line: string, folder: string): string[] {
  const negation = line.startsWith("!") ? "!" : "";
  const pattern = line.slice(negation.length);
  if (/^\/*$/.test(pattern)) return [];
  if (folder === "") return [line];
  const isAnchored = pattern.slice(0, -1).includes("/");
  const below = pattern.startsWith("/") ? pattern.slice(1) : pattern;
  return [`${negation}/${literally(folder)}${isAnchored ? "" : "**/"}${below}`];
}

/** A line cannot hold a newline, so one in a folder's name becomes "any one character". */
function literally(folder: string): string {
  return folder.replace(/[\\*?[\]]/g, "\\$&").replaceAll("\n", "?");
}

/** Trailing spaces do not count, unless a backslash stands before them. */
function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === " ") continue;
    if (line[at] === "\\") at += 1;
    end = at + 1;
  }
  return line.slice(0, end);
}
