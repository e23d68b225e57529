import { decodeUtf8, encodeText, lineFeed } from "../bytes.ts";

const escapes: Record<string, number> = {
  a: 0x07,
  b: 0x08,
  t: 0x09,
  n: 0x0a,
  v: 0x0b,
  f: 0x0c,
  r: 0x0d,
  '"': 0x22,
  "\\": 0x5c,
};
const letters = new Map(Object.entries(escapes).map(([letter, byte]) => [byte, letter]));

/** A path as git writes it: as it is, or in quotes with C escapes when it holds anything but plain ASCII. */
export function quotePath(path: string): string {
  let quoted = "";
  for (const byte of encodeText(path)) {
    const letter = letters.get(byte);
    if (letter !== undefined) quoted += `\\${letter}`;
    else if (byte < 0x20 || byte > 0x7e) quoted += `\\${byte.toString(8).padStart(3, "0")}`;
    else quoted += String.fromCharCode(byte);
  }
  return quoted === path ? path : `"${quoted}"`;
}

/**
 * Reads a quoted path from the start of a header. The header has one character for each byte. Answers the path, with
 * one character for each byte too, and what follows it; null when the quoting is broken.
 */
export function readQuoted(header: string): { name: string; rest: string } | null {
  let name = "";
  for (let at = 1; at < header.length; ) {
    const character = header[at] ?? "";
    if (character === '"') return { name, rest: header.slice(at + 1) };
    const read = character === "\\" ? readEscape(header, at + 1) : { character, next: at + 1 };
    if (read === null) return null;
    name += read.character;
    at = read.next;
  }
  return null;
}

function readEscape(header: string, at: number): { character: string; next: number } | null {
  const octal = /^[0-3][0-7]{2}/.exec(header.slice(at, at + 3))?.[0];
  const byte = octal === undefined ? escapes[header[at] ?? ""] : Number.parseInt(octal, 8);
  if (byte === undefined) return null;
  return { character: String.fromCharCode(byte), next: at + (octal === undefined ? 1 : 3) };
}

/** The text of a name that has one character for each byte; null when it is not UTF-8. */
export function textOfName(name: string): string | null {
  if (/^[ -~]*$/.test(name)) return name;
  return decodeUtf8(Uint8Array.from(name, (character) => character.charCodeAt(0)));
}

/** A header with one character for each byte, without its line feed. */
export function headerText(line: Uint8Array): string {
  const end = line.length - (line[line.length - 1] === lineFeed ? 1 : 0);
  let text = "";
  for (let at = 0; at < end; at++) text += String.fromCharCode(line[at] ?? 0);
  return text;
}
