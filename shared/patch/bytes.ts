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

/**
 * Encodes many short texts of at most this many UTF-16 units together. ASCII goes into one buffer, because a buffer
 * for each text costs more than its bytes.
 */
export function textEncoderFor(units: number): (text: string) => Uint8Array {
  const shared = new Uint8Array(units);
  let used = 0;
  return (text) => {
    const start = used;
    if (start + text.length > units) return encodeText(text);
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit > 0x7f) return encodeText(text);
      shared[start + at] = unit;
    }
    used += text.length;
    return shared.subarray(start, used);
  };
}

/** True when the bytes from `start` to `end` are this text in UTF-8. */
export function isTextAt(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length > end - start) return false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) return equalBytes(encodeText(text), bytes.subarray(start, end));
    if (bytes[start + at] !== unit) return false;
  }
  return text.length === end - start;
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
  return bytes.subarray(0, binaryProbeBytes).includes(0);
}

export function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] ?? 0) > 0x7f) return false;
  return true;
}
