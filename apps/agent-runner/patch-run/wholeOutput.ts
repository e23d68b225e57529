import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { largestOutputBytes } from "../../../shared/contracts/runner.ts";
import type { Redactor } from "../redact.ts";
import { createHoldback } from "../runs/holdback.ts";

/** Where the whole output of a command lies, by its place in the request; absent where its tail holds it all. */
export const outputFile = (runFolder: string, command: number): string =>
  join(runFolder, "output", `${command}.txt`);

/** `small`: no file was needed. `lost`: the disk would not take it. */
export type KeptOutput =
  | { kind: "small"; text: string }
  | { kind: "kept"; bytes: number; cut: boolean }
  | { kind: "lost" };

export type OutputLimits = { smallBytes: number; maxBytes: number };

/** All that the commands of one run may leave on the disk together. */
export const outputBytesOfRun = 4 * largestOutputBytes;

const noteBytes = 200;
const note = "\n[cut: the command printed more than is kept; its end is the tail of its verdict]\n";

/**
 * What a command prints, in the order in which it came, in a file as soon as it is more than a tail holds. Both
 * outputs come masked; together they are masked once more, since a secret may be made of a piece of each.
 */
export function createWholeOutput(file: string, limits: OutputLimits, redactor: Redactor) {
  const together = createHoldback(redactor);
  const sink = createSink(file, limits);
  return {
    push: (text: string): Promise<void> => sink.write(together.push(text)),
    async end(): Promise<KeptOutput> {
      await sink.write(together.flush());
      return sink.end();
    },
  };
}

function createSink(file: string, { smallBytes, maxBytes }: OutputLimits) {
  const roomBytes = Math.max(0, maxBytes - noteBytes);
  let small = "";
  let bytes = 0;
  let cut = false;
  let handle: FileHandle | null = null;
  let isLost = false;
  let writes = Promise.resolve();

  const append = async (text: string) => {
    const whole = Buffer.from(text, "utf8");
    const part = whole.length <= roomBytes - bytes ? whole : cutAt(whole, roomBytes - bytes);
    bytes += part.length;
    if (part !== whole) cut = true;
    await handle?.writeFile(part);
  };
  const take = async (text: string) => {
    if (cut || isLost || text === "") return;
    if (handle === null && Buffer.byteLength(small) + Buffer.byteLength(text) <= smallBytes) {
      small += text;
      return;
    }
    if (handle !== null) return append(text);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    handle = await open(file, "w", 0o600);
    await append(small + text);
  };
  const finish = async (): Promise<KeptOutput> => {
    if (cut && handle !== null) {
      await handle.writeFile(note);
      bytes += Buffer.byteLength(note);
    }
    await handle?.close();
    if (isLost) return { kind: "lost" };
    return handle === null ? { kind: "small", text: small } : { kind: "kept", bytes, cut };
  };
  return {
    write(text: string): Promise<void> {
      writes = writes
        .then(() => take(text))
        .catch(() => {
          isLost = true;
        });
      return writes;
    },
    end: () => writes.then(finish).catch((): KeptOutput => ({ kind: "lost" })),
  };
}

/** No character is cut in two. */
function cutAt(bytes: Buffer, length: number): Buffer {
  let end = Math.max(0, length);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
