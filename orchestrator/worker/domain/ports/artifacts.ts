/** Texts too large for a row, by key. Writing the same key again replaces it. */
export type Artifacts = {
  put(key: string, text: string): Promise<void>;
  get(key: string): Promise<string | null>;
};

/** What is too large for the worker's memory, as streams by key. */
export type Archives = {
  /** Stores what the stream brings if it is exactly so many bytes, and nothing otherwise. */
  put(key: string, bytes: number, body: ReadableStream<Uint8Array>): Promise<void>;
  get(key: string): Promise<ReadableStream<Uint8Array> | null>;
};
