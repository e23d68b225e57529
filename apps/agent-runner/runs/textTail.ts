import type { Redactor } from "../redact.ts";
import { capTail } from "./capEvent.ts";

/**
 * The last part of an output, redacted. More is kept than is given, so that the place where the start was cut
 * off, maybe inside a secret, is never part of what is given.
 */
export function createTextTail(maxBytes: number) {
  let chunks: Buffer[] = [];
  let bytes = 0;
  return {
    push(chunk: Buffer): void {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes <= maxBytes * 8) return;
      const kept = Buffer.concat(chunks).subarray(-maxBytes * 4);
      chunks = [kept];
      bytes = kept.length;
    },
    read: (redactor: Redactor): string =>
      capTail(redactor.text(Buffer.concat(chunks).toString("utf8")), maxBytes),
  };
}
