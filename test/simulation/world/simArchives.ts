import type { Archives, Artifacts } from "../../../orchestrator/worker/domain/ports/artifacts.ts";

export const streamOf = (text: string): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });

/** Streams in memory, beside the texts. */
export const simArchives = (texts: Map<string, string>): Archives => ({
  async put(key, bytes, body) {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
    if (new TextEncoder().encode(text).length !== bytes) throw new Error("It has another length.");
    texts.set(key, text);
  },
  async get(key) {
    const text = texts.get(key);
    return text === undefined ? null : streamOf(text);
  },
});

export const simArtifacts = (texts: Map<string, string>): Artifacts => ({
  put: async (key, text) => void texts.set(key, text),
  get: async (key) => texts.get(key) ?? null,
});
