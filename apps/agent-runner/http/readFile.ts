import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { finished } from "node:stream/promises";
import { SwitchyardError } from "../../../shared/errors.ts";

/** Writes the body of a request to a new file, no larger than this. What is over is dropped, so that the answer arrives. */
export async function readIntoFile(
  request: IncomingMessage,
  file: string,
  maxBytes: number,
): Promise<number> {
  const output = createWriteStream(file, { flags: "wx", mode: 0o600 });
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += chunk.length;
      if (bytes > maxBytes)
        throw new SwitchyardError("body_too_large", `The body has more than ${maxBytes} bytes.`);
      if (!output.write(chunk)) await once(output, "drain");
    }
  } finally {
    output.end();
    await finished(output);
  }
  return bytes;
}
