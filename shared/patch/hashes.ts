import { concatBytes, encodeText } from "./bytes.ts";

export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", owned(bytes)));
}

/** The id that git gives to a blob of these bytes. */
export async function gitBlobId(bytes: Uint8Array): Promise<string> {
  const object = concatBytes([encodeText(`blob ${bytes.length}\0`), bytes]);
  return hex(await crypto.subtle.digest("SHA-1", owned(object)));
}

/** `digest` takes no view of shared memory; other views are passed on as they are. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes);
}

const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(digest: ArrayBuffer): string {
  let text = "";
  for (const byte of new Uint8Array(digest)) text += pairs[byte];
  return text;
}
