export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const noBytes = new Uint8Array(0);
export const byteOrderMark = Uint8Array.of(0xef, 0xbb, 0xbf);

const binaryProbeBytes = 8_000;
const encoder = new TextEncoder();
const newStrictDecoder = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** To make one costs more than most texts; one that failed is not used again. */
let strictDecoder = newStrictDecoder();

export const encodeText = (text: string): Uint8Array => encoder.encode(text);

/** Short texts share buffers of this size, because a buffer for each costs more than its bytes. */
const poolBytes = 65_536;
const mostPooledUnits = 1_024;
let pool = new Uint8Array(poolBytes);
let poolUsed = 0;

/**
 * A short text of ASCII without a NUL, for what is soon done with: the bytes may keep the whole pool alive. Null for
 * any other text.
 */
export function encodePlainly(text: string): Uint8Array | null {
  if (text.length > mostPooledUnits) return null;
  if (poolUsed + text.length > poolBytes) {
    pool = new Uint8Array(poolBytes);
    poolUsed = 0;
  }
  const start = poolUsed;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f || unit === 0) return null;
    pool[start + at] = unit;
  }
  poolUsed += text.length;
  return pool.subarray(start, poolUsed);
}

/** Where this text in UTF-8 ends if it stands at `start`; -1 when other bytes stand there. */
export function endOfText(text: string, bytes: Uint8Array, start: number): number {
  const end = start + text.length;
  if (end > bytes.length) return -1;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) {
      const encoded = encodeText(text);
      return standsAt(encoded, bytes, start) ? start + encoded.length : -1;
    }
    if (bytes[start + at] !== unit) return -1;
  }
  return end;
}

/** Where this text in UTF-8 begins if it stands before `end`; -1 when other bytes stand there. */
export function startOfText(text: string, bytes: Uint8Array, end: number): number {
  const start = end - text.length;
  for (let at = text.length - 1; at >= 0; at--) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) {
      const encoded = encodeText(text);
      return standsAt(encoded, bytes, end - encoded.length) ? end - encoded.length : -1;
    }
    if (bytes[start + at] !== unit) return -1;
  }
  return start;
}

function standsAt(part: Uint8Array, bytes: Uint8Array, start: number): boolean {
  return start >= 0 && equalBytes(part, bytes.subarray(start, start + part.length));
}

export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, at) => bytes[at] === byte);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

export function endsWithLineFeed(bytes: Uint8Array): boolean {
  return bytes[bytes.length - 1] === lineFeed;
}

const shortCopy = 48;

/** Copies the bytes from `from` up to, without, `to`. A view for a few bytes costs more than to copy them in turn. */
export function copyBytes(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): void {
  if (to - from > shortCopy) target.set(source.subarray(from, to), at);
  else
    for (let offset = 0; offset < to - from; offset++)
      target[at + offset] = source[from + offset] ?? 0;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The text of well-formed UTF-8, its byte order mark kept; null for other bytes. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    strictDecoder = newStrictDecoder();
    return null;
  }
}

/** Git's own rule, a NUL near the start, and UTF-16, whose lines are not lines of bytes. */
export function isBinary(bytes: Uint8Array): boolean {
  // FF FE in either order.
  const [first, second] = [bytes[0] ?? 0, bytes[1] ?? 0];
  if (first + second === 0xff + 0xfe && Math.max(first, second) === 0xff) return true;
  return holdsNul(bytes, Math.min(bytes.length, binaryProbeBytes));
}

const scratch = new Uint8Array(4_096);

/** The text of some bytes taken together, as `decodeUtf8` has it. */
export function decodeLines(lines: readonly Uint8Array[]): string | null {
  const [first] = lines;
  if (first === undefined) return "";
  if (lines.length === 1) return decodeUtf8(first);
  let length = 0;
  for (const line of lines) length += line.length;
  if (length > scratch.length) return decodeUtf8(concatBytes(lines));
  let at = 0;
  for (const line of lines) {
    copyBytes(line, 0, line.length, scratch, at);
    at += line.length;
  }
  return decodeUtf8(scratch.subarray(0, length));
}

/** Looks at 16 bytes at a time: `includes` looks at one, and takes three times as long. */
function holdsNul(bytes: Uint8Array, end: number): boolean {
  const firstWord = -bytes.byteOffset & 3;
  const wordCount = (Math.max(0, end - firstWord) >>> 4) * 4;
  if (wordCount === 0) return holdsNulBetween(bytes, 0, end);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + firstWord, wordCount);
  let borrowed = 0;
  for (let at = 0; at < wordCount; at += 4)
    borrowed |=
      borrows(words[at] ?? 0) |
      borrows(words[at + 1] ?? 0) |
      borrows(words[at + 2] ?? 0) |
      borrows(words[at + 3] ?? 0);
  const isFound = (borrowed & 0x80808080) !== 0;
  const rest = firstWord + wordCount * 4;
  return isFound || holdsNulBetween(bytes, 0, firstWord) || holdsNulBetween(bytes, rest, end);
}

/** Taking 1 from each byte borrows from beyond the byte only where it is 0. */
function borrows(word: number): number {
  return (word - 0x01010101) & ~word;
}

function holdsNulBetween(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] === 0) return true;
  return false;
}

export function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] ?? 0) > 0x7f) return false;
  return true;
}
