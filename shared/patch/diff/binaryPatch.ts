import { concatBytes, encodeText } from "../bytes.ts";
import { malformedDiff } from "../hunkReader.ts";
import { headerText } from "./quotedPath.ts";

/** The new bytes of a binary file, compressed: as they are, or as a delta of the old ones. */
export type BinaryChange = { kind: "literal" | "delta"; size: number; deflated: Uint8Array };

const digits =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const values = new Map([...digits].map((digit, value) => [digit, value]));
const bytesPerLine = 52;

/** Reads what follows `GIT binary patch`: the change, and the index of the line after it and after its reverse. */
export function readBinaryPatch(lines: readonly Uint8Array[], at: number) {
  const forward = readChange(lines, at);
  if (forward === null) throw malformedDiff(at, "binary data is expected");
  const reverse = readChange(lines, forward.next);
  return { data: forward.change, next: reverse?.next ?? forward.next };
}

function readChange(lines: readonly Uint8Array[], at: number) {
  const match = /^(literal|delta) (\d{1,15})$/.exec(headerText(lines[at] ?? new Uint8Array(0)));
  if (match === null) return null;
  const parts: Uint8Array[] = [];
  let next = at + 1;
  for (; next < lines.length; next++) {
    const text = headerText(lines[next] ?? new Uint8Array(0));
    if (text === "") break;
    parts.push(decodeLine(text, next));
  }
  const kind = match[1] === "delta" ? ("delta" as const) : ("literal" as const);
  const change = { kind, size: Number(match[2]), deflated: concatBytes(parts) };
  return { change, next: next + 1 };
}

/** The first character says how many bytes the line holds, every five others are four of them. */
function decodeLine(text: string, at: number): Uint8Array {
  const mark = text.charCodeAt(0);
  const length = mark <= 0x5a ? mark - 0x40 : mark - 0x60 + 26;
  const groups = (text.length - 1) / 5;
  const isSound = /^[A-Za-z]/.test(text) && groups === Math.ceil(length / 4);
  if (!isSound) throw malformedDiff(at, "a line of binary data has another length than it says");
  const bytes = new Uint8Array(groups * 4);
  for (let group = 0; group < groups; group++) {
    let number = 0;
    for (const digit of text.slice(1 + group * 5, 6 + group * 5))
      number = number * 85 + (values.get(digit) ?? Number.NaN);
    if (!(number < 2 ** 32)) throw malformedDiff(at, "binary data is not in base 85");
    for (let byte = 0; byte < 4; byte++)
      bytes[group * 4 + byte] = Math.floor(number / 256 ** (3 - byte)) % 256;
  }
  return bytes.subarray(0, length);
}

/** A literal as git writes it, with the blank line that ends it. */
export async function encodeLiteral(bytes: Uint8Array): Promise<Uint8Array> {
  const deflated = await throughStream(
    bytes,
    new CompressionStream("deflate"),
    Number.POSITIVE_INFINITY,
  );
  const lines = [`literal ${bytes.length}\n`];
  for (let at = 0; at < deflated.length; at += bytesPerLine)
    lines.push(`${encodeLine(deflated.subarray(at, at + bytesPerLine))}\n`);
  return encodeText(`${lines.join("")}\n`);
}

function encodeLine(bytes: Uint8Array): string {
  const { length } = bytes;
  let line = String.fromCharCode(length <= 26 ? 0x40 + length : 0x60 + length - 26);
  for (let at = 0; at < length; at += 4) {
    let number = 0;
    for (let byte = 0; byte < 4; byte++) number = number * 256 + (bytes[at + byte] ?? 0);
    let group = "";
    for (let digit = 0; digit < 5; digit++) {
      group = digits[number % 85] + group;
      number = Math.floor(number / 85);
    }
    line += group;
  }
  return line;
}

/** Null when the data is damaged, or has another size than it says, or one above `limit`. */
export async function inflate({ size, deflated }: BinaryChange, limit: number) {
  if (size > limit) return null;
  try {
    const bytes = await throughStream(deflated, new DecompressionStream("deflate"), size);
    return bytes.length === size ? bytes : null;
  } catch {
    return null;
  }
}

/** Throws as soon as more than `most` bytes come out. */
async function throughStream(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
  most: number,
): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  const written = writer.write(new Uint8Array(bytes)).then(() => writer.close());
  // A fault of the data shows at the reading end, too.
  written.catch(() => undefined);
  const reader = stream.readable.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    length += part.value.length;
    if (length > most) {
      await reader.cancel();
      throw new RangeError("more bytes than announced");
    }
  }
  await written;
  return concatBytes(parts);
}
