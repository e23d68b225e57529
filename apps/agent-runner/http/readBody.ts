import type { IncomingMessage } from "node:http";
import { SwitchyardError } from "../../../shared/errors.ts";

/** The JSON value of a request, no larger than this. What is over is read and dropped, so that the answer arrives. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const body = parseJson(Buffer.concat(chunks).toString("utf8"));
  if (body.kind === "malformed")
    throw new SwitchyardError("malformed_json", "The body is not JSON.");
  return body.value;
}

function parseJson(text: string): { kind: "json"; value: unknown } | { kind: "malformed" } {
  try {
    return { kind: "json", value: JSON.parse(text) };
  } catch {
    return { kind: "malformed" };
  }
}

const tooLarge = (maxBytes: number): SwitchyardError =>
  new SwitchyardError("body_too_large", `The body has more than ${maxBytes} bytes.`);
