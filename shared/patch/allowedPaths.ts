/**
 * True when one of the entries covers the path: the path itself, a directory above it, or a pattern, in which `*`
 * stands for any part of one segment and `**` for any number of segments.
 */
export function isAllowedPath(path: string, allowedPaths: readonly string[]): boolean {
  const segments = path.split("/");
  return allowedPaths.some((entry) => covers(entry, segments));
}

function covers(entry: string, segments: readonly string[]): boolean {
  const pattern = entry.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
  if (pattern === "") return false;
  if (pattern === ".") return true;
  return matches([...pattern.split("/"), "**"], segments, (part) => part === "**", segmentMatches);
}

function segmentMatches(pattern: string, segment: string): boolean {
  return matches(
    [...pattern],
    [...segment],
    (part) => part === "*",
    (part, character) => part === character,
  );
}

/** Matching with one wildcard for any run, going back to the last wildcard only: at most length times length steps. */
function matches(
  pattern: readonly string[],
  subject: readonly string[],
  isWildcard: (part: string) => boolean,
  matchesOne: (part: string, item: string) => boolean,
): boolean {
  let part = 0;
  let item = 0;
  let retryPart = -1;
  let retryItem = 0;
  while (item < subject.length) {
    const current = pattern[part];
    if (current !== undefined && isWildcard(current)) {
      retryPart = ++part;
      retryItem = item;
    } else if (current !== undefined && matchesOne(current, subject[item] ?? "")) {
      part++;
      item++;
    } else if (retryPart >= 0) {
      part = retryPart;
      item = ++retryItem;
    } else return false;
  }
  return pattern.slice(part).every(isWildcard);
}
