import { concatBytes } from "../bytes.ts";

/**
 * What a git delta makes of the old bytes: two sizes, then commands that copy a part of the old bytes, or hold new
 * ones. Null when the delta is damaged, is of bytes of another size, or makes more than `limit`.
 */
export function applyDelta(old: Uint8Array, delta: Uint8Array, limit: number): Uint8Array | null {
  const cursor = { delta, at: 0 };
  const oldSize = readSize(cursor);
  const newSize = readSize(cursor);
  if (oldSize !== old.length || newSize > limit) return null;
  const parts: Uint8Array[] = [];
  let length = 0;
  while (cursor.at < delta.length && length <= newSize) {
    const part = readPart(cursor, old);
    if (part === null) return null;
    parts.push(part);
    length += part.length;
  }
  return length === newSize ? concatBytes(parts) : null;
}

type Cursor = { delta: Uint8Array; at: number };

function readSize(cursor: Cursor): number {
  let size = 0;
  let factor = 1;
  for (;;) {
    const byte = cursor.delta[cursor.at++] ?? 0;
    size += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) return size;
  }
}

function readPart(cursor: Cursor, old: Uint8Array): Uint8Array | null {
  const command = cursor.delta[cursor.at++] ?? 0;
  if (command === 0) return null;
  if (command < 0x80) {
    const part = cursor.delta.subarray(cursor.at, cursor.at + command);
    cursor.at += command;
    return part.length === command ? part : null;
  }
  const offset = readNumber(cursor, command & 0x0f);
  const size = readNumber(cursor, (command >> 4) & 0x07) || 0x10000;
  return offset + size <= old.length ? old.subarray(offset, offset + size) : null;
}

/** A bit of `present` for each byte that is there, the lowest first. */
function readNumber(cursor: Cursor, present: number): number {
  let number = 0;
  for (let byte = 0; byte < 4; byte++)
    if (present & (1 << byte)) number += (cursor.delta[cursor.at++] ?? 0) * 256 ** byte;
  return number;
}
