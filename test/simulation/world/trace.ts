import { createHash } from "node:crypto";

/** The story of one history: every line is hashed, and kept when somebody wants to read it. */
export class Trace {
  readonly lines: string[] = [];
  readonly #keep: boolean;
  #hash = 0x811c9dc5;
  #told = 0;

  constructor(keep: boolean) {
    this.#keep = keep;
  }

  get told(): number {
    return this.#told;
  }

  tell(atMs: number, actor: string, what: string): void {
    this.#told += 1;
    this.#mix(`${atMs}|${actor}|${what}`);
    if (this.#keep) this.lines.push(`${clock(atMs)}  ${actor.padEnd(24)} ${what}`);
  }

  hash(): string {
    return createHash("sha256").update(`${this.#hash}:${this.#told}`).digest("hex").slice(0, 16);
  }

  /** FNV-1a in 32 bits, over every character: cheap enough to leave on for millions of lines. */
  #mix(text: string): void {
    let hash = this.#hash;
    for (let at = 0; at < text.length; at += 1)
      hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
    this.#hash = hash;
  }
}

/** Virtual time since the start of the history, as h:mm:ss.mmm. */
export function clock(ms: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const seconds = Math.floor(ms / 1_000);
  const time = `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${time}.${String(ms % 1_000).padStart(3, "0")}`;
}
