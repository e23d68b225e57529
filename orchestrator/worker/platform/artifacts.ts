import type { Artifacts } from "../domain/ports/artifacts.ts";

/** Artifacts in R2. */
export const r2Artifacts = (bucket: R2Bucket): Artifacts => ({
  async put(key, text) {
    await bucket.put(key, text);
  },
  async get(key) {
    const object = await bucket.get(key);
    return object === null ? null : await object.text();
  },
});
