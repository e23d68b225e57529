/** One server-sent event as a client reads it. */
export type Frame = { id: string; event: string; data: Record<string, unknown> };

/** Reads server-sent events until `enough` says so or the stream ends. */
export async function readFrames(
  response: Response,
  enough: (frames: Frame[]) => boolean = () => false,
): Promise<Frame[]> {
  const frames: Frame[] = [];
  const decoder = new TextDecoder();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return frames;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    frames.push(...blocks.flatMap(parseFrame));
    if (enough(frames)) {
      await reader.cancel();
      return frames;
    }
  }
}

function parseFrame(block: string): Frame[] {
  const fields = new Map(
    block.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  const event = fields.get("event");
  if (event === undefined) return [];
  return [{ id: fields.get("id") ?? "", event, data: JSON.parse(fields.get("data") ?? "{}") }];
}

/** The numbers of the agent's own words, in the order in which they came. */
export const messagesOf = (frames: Frame[]): string[] =>
  frames.filter(({ event }) => event === "message").map(({ data }) => String(data.text));
