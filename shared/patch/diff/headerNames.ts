import { readQuoted } from "./quotedPath.ts";

/** `/dev/null` in the place of a name: the file is not there on that side. */
export const noFile = Symbol("no file");

/** Names have one character for each byte here, as headers do. Null: there is no name to be found. */
export type HeaderName = string | typeof noFile | null;

/** Without its first `strip` directories, as `git apply -p` counts them; null when it has not so many. */
export function stripped(name: string, strip: number): string | null {
  const segments = name.split(/\/+/);
  return segments.length > strip ? segments.slice(strip).join("/") || null : null;
}

/** The name of a `---` or `+++` line, which ends with a tab or a date where there is one. */
export function sideName(header: string, strip: number): HeaderName {
  if (/^\/dev\/null(?:[\t ]|$)/.test(header)) return noFile;
  const name = unquotedSide(header);
  return name === null ? null : stripped(name, strip);
}

function unquotedSide(header: string): string | null {
  if (header.startsWith('"')) return readQuoted(header)?.name ?? null;
  const date = /[\t ]+\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d\d:?\d\d)?$/.exec(header);
  if (date !== null) return header.slice(0, date.index);
  const tab = header.indexOf("\t");
  return tab === -1 ? header : header.slice(0, tab);
}

/** The name of a `rename from` line and its like, which has no prefix. */
export function plainName(header: string): string | null {
  return header.startsWith('"') ? (readQuoted(header)?.name ?? null) : header || null;
}

/** The name that both sides of a `diff --git` line have; null when they have none in common. */
export function commonName(header: string): string | null {
  if (header.startsWith('"')) {
    const first = readQuoted(header);
    if (first === null || !first.rest.startsWith(" ")) return null;
    return sameName(first.name, plainName(first.rest.slice(1)));
  }
  if (header.endsWith('"')) {
    const at = header.indexOf(' "');
    return sameName(header.slice(0, at), readQuoted(header.slice(at + 1))?.name ?? null);
  }
  for (let at = header.search(/[ \t]/); at !== -1; at = nextBlank(header, at)) {
    const name = sameName(header.slice(0, at), header.slice(at + 1));
    if (name !== null) return name;
  }
  return null;
}

function nextBlank(header: string, at: number): number {
  const next = header.slice(at + 1).search(/[ \t]/);
  return next === -1 ? -1 : at + 1 + next;
}

function sameName(first: string, second: string | null): string | null {
  if (second === null) return null;
  const [one, other] = [stripped(first, 1), stripped(second, 1)];
  return one === other ? one : null;
}

/** How many directories a plain diff wants to be stripped, where its two names say: none, for bare names. */
export function guessedStrip(first: string, second: string): number | null {
  const strip = bareness(first) ?? bareness(second);
  return strip === bareness(second) ? strip : null;
}

/** 0 for a name without directories; null when the line says nothing of it. */
function bareness(header: string): number | null {
  const name = sideName(header, 0);
  return typeof name === "string" && !name.includes("/") ? 0 : null;
}
