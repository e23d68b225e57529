const largestChunkBytes = 256 * 1024;

/**
 * The bytes of a body as they arrive, in pieces as large as what has arrived. The platform's own iteration cuts them
 * into pieces of 4 KiB, and every piece costs a row. Whoever stops taking them cancels the body.
 */
export async function* bodyChunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = byteReader(body);
  if (reader === null) return yield* body;
  let buffer = new ArrayBuffer(largestChunkBytes);
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) return;
      yield value;
      buffer = value.buffer as ArrayBuffer;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Null for a stream of a program's own making, which cannot be read so. */
function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | null {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return null;
  }
}
