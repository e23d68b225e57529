import { encodeText } from "./bytes.ts";
import { isPathCodePoint } from "./pathCodePoints.ts";
import { isProtectedKey, withoutTrailingDots } from "./protectedPaths.ts";

const segmentBytes = 255;
const pathBytes = 4_096;
const pathSegments = 128;
/** `GIT~1` is the DOS short name of `.git`. */
const gitDirectoryKeys = new Set([".GIT", "GIT~1"]);

/** Letters and digits, `_` and `-`, and `.` within a name: nothing below can be said of such a path if it is short. */
const plainPath = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;

/** Why a path is refused, in words for a person; null when it is fine. */
export function pathFault(path: string): string | null {
  if (path.length <= segmentBytes && plainPath.test(path)) return null;
  if (path === "") return "is empty";
  if (path.startsWith("/")) return "is not relative";
  if (!path.isWellFormed()) return "is not well-formed text";
  if (path.includes("\\")) return "holds a backslash";
  if (path.includes(":")) return "holds a colon";
  const unicode = isPrintableAscii(path) ? null : unicodeFault(path);
  if (unicode !== null) return unicode;
  if (byteLength(path) > pathBytes) return `is longer than ${pathBytes} bytes`;
  const segments = path.split("/");
  if (segments.length > pathSegments) return `has more than ${pathSegments} segments`;
  return segments.map(segmentFault).find((fault) => fault !== null) ?? null;
}

function unicodeFault(path: string): string | null {
  if (!holdsOnlyPathCodePoints(path))
    return "holds a control, bidi, invisible, private or unassigned code point";
  return path.normalize("NFC") === path ? null : "is not in Unicode form NFC";
}

const isPrintableAscii = (text: string): boolean => /^[ -~]*$/.test(text);

function byteLength(text: string): number {
  return isPrintableAscii(text) ? text.length : encodeText(text).length;
}

function holdsOnlyPathCodePoints(path: string): boolean {
  for (const character of path) if (!isPathCodePoint(character.codePointAt(0) ?? 0)) return false;
  return true;
}

function segmentFault(segment: string): string | null {
  if (segment === "") return "has an empty segment";
  if (byteLength(segment) > segmentBytes) return `has a segment longer than ${segmentBytes} bytes`;
  const key = pathKey(segment);
  if (key === "." || key === "..") return "has a dot segment";
  if (gitDirectoryKeys.has(withoutTrailingDots(key))) return "names a git directory";
  return null;
}

/**
 * Two paths with the same key can be one file on some file system. The key is at least as coarse as NFKC with full
 * case folding, and is made of the two case mappings because they exist in every runtime.
 */
export function pathKey(path: string): string {
  if (isPrintableAscii(path)) return path.toUpperCase();
  let folded = "";
  for (const character of path.normalize("NFKC")) folded += character.toLowerCase().toUpperCase();
  return folded.normalize("NFKC");
}

/** A path that needs a person's approval: it steers continuous integration, git, installs or agents. */
export function isProtectedPath(path: string): boolean {
  return isProtectedKey(pathKey(path));
}

/** `a/b/c` is below `a` and `a/b`. */
export function directoriesOf(path: string): string[] {
  const directories: string[] = [];
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1))
    directories.push(path.slice(0, at));
  return directories;
}
