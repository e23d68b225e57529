import type { Archives, Artifacts } from "../domain/ports/artifacts.ts";

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

/** R2 takes a stream whose length it knows. */
export const r2Archives = (bucket: R2Bucket): Archives => ({
  async put(key, bytes, body) {
    const { readable, writable } = new FixedLengthStream(bytes);
    await Promise.all([body.pipeTo(writable), bucket.put(key, readable)]);
  },
  async get(key) {
    return (await bucket.get(key))?.body ?? null;
  },
});
