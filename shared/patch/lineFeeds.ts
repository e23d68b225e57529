import { lineFeed } from "./bytes.ts";

/** So many words are a block of 64 bytes, in which no byte of the sum below overflows. */
const wordsPerBlock = 16;

/**
 * Counts the line feeds of some bytes, four bytes at a time and without a branch, and notes into `endsBefore` how many
 * stand before each block. What is left over at the end is a block too.
 */
export function countLineFeeds(bytes: Uint8Array, from: number, endsBefore: Uint32Array) {
  const firstByte = Math.min(bytes.length, from + (-(bytes.byteOffset + from) & 3));
  const fullBlocks = Math.floor((bytes.length - firstByte) / (wordsPerBlock * 4));
  const wordCount = fullBlocks * wordsPerBlock;
  const words = new Int32Array(
    bytes.buffer,
    wordCount > 0 ? bytes.byteOffset + firstByte : 0,
    wordCount,
  );
  let total = countSingly(bytes, from, firstByte);
  for (let block = 0; block < fullBlocks; block++) {
    endsBefore[block] = total;
    total += countInBlock(words, block * wordsPerBlock);
  }
  endsBefore[fullBlocks] = total;
  total += countSingly(bytes, firstByte + wordCount * 4, bytes.length);
  return { firstByte, blockCount: fullBlocks + 1, total };
}

function countInBlock(words: Int32Array, from: number): number {
  let sum = 0;
  for (let at = from; at < from + wordsPerBlock; at += 4)
    sum +=
      (lineFeedsIn(words[at] ?? 0) >>> 7) +
      (lineFeedsIn(words[at + 1] ?? 0) >>> 7) +
      (lineFeedsIn(words[at + 2] ?? 0) >>> 7) +
      (lineFeedsIn(words[at + 3] ?? 0) >>> 7);
  // The highest byte of this product is the sum of the four bytes.
  return Math.imul(sum, 0x01010101) >>> 24;
}

/** A word whose bytes have their highest bit set, and no other, where the byte of the word is a line feed. */
function lineFeedsIn(word: number): number {
  const difference = word ^ 0x0a0a0a0a;
  return ~(((difference & 0x7f7f7f7f) + 0x7f7f7f7f) | difference) & 0x80808080;
}

function countSingly(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at++) if (bytes[at] === lineFeed) count++;
  return count;
}
