/**
 * A path as git and the file system hold it, one character for each byte (latin1): a name need not be UTF-8,
 * and the one that is not must neither be lost nor taken for another.
 */
export type BytePath = string;

export const toBytes = (path: BytePath): Buffer => Buffer.from(path, "latin1");

export const fromBytes = (bytes: Uint8Array): BytePath => Buffer.from(bytes).toString("latin1");

/** The path as text; null when its bytes are not UTF-8. */
export function toText(path: BytePath): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(toBytes(path));
  } catch {
    return null;
  }
}

/** The path as a person may read it, whatever its bytes are. */
export const toDisplay = (path: BytePath): string => toBytes(path).toString("utf8");

/** The folder that holds a path, with a trailing slash; "" at the top. */
export const folderOf = (path: BytePath): BytePath => path.slice(0, path.lastIndexOf("/") + 1);

export const splitNul = (bytes: Uint8Array): BytePath[] =>
  fromBytes(bytes).split("\0").slice(0, -1);
