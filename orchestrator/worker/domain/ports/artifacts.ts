/** Texts too large for a row, by key. Writing the same key again replaces it. */
export type Artifacts = {
  put(key: string, text: string): Promise<void>;
  get(key: string): Promise<string | null>;
};
