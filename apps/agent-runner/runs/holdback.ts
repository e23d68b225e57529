import type { Redactor } from "../redact.ts";

/**
 * Redacts a text that comes in pieces. The end of a piece that may be the start of a secret waits for the next
 * one, so that a secret cut in two is masked all the same.
 */
export function createHoldback(redactor: Redactor) {
  let held = "";
  return {
    push(piece: string): string {
      const masked = redactor.text(held + piece);
      const open = redactor.openEnd(masked);
      held = masked.slice(masked.length - open);
      return masked.slice(0, masked.length - open);
    },
    flush(): string {
      const rest = held;
      held = "";
      return rest;
    },
  };
}
