const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const sextets = new Uint8Array(128);
for (let sextet = 0; sextet < alphabet.length; sextet++)
  sextets[alphabet.charCodeAt(sextet)] = sextet;

/** Standard alphabet with padding and nothing else in between; null for other text. */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  const padding = text.endsWith("==") ? 2 : Number(text.endsWith("="));
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let from = 0, to = 0; from < text.length; from += 4) {
    const bits =
      (sextetAt(text, from) << 18) |
      (sextetAt(text, from + 1) << 12) |
      (sextetAt(text, from + 2) << 6) |
      sextetAt(text, from + 3);
    bytes[to++] = bits >> 16;
    bytes[to++] = (bits >> 8) & 0xff;
    bytes[to++] = bits & 0xff;
  }
  return bytes;
}

function sextetAt(text: string, at: number): number {
  return sextets[text.charCodeAt(at)] ?? 0;
}

export function encodeBase64(bytes: Uint8Array): string {
  const quads: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    quads.push(
      `${alphabet[bits >> 18]}${alphabet[(bits >> 12) & 63]}${alphabet[(bits >> 6) & 63]}${alphabet[bits & 63]}`,
    );
  }
  const padding = (3 - (bytes.length % 3)) % 3;
  const text = quads.join("");
  return text.slice(0, text.length - padding) + "=".repeat(padding);
}
