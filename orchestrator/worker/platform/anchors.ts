import {
  anchorKey,
  anchorsFolder,
  chainFolder,
  parseAnchor,
  projectOfFolder,
} from "../domain/anchors.ts";
import type { Anchor, AnchorStore } from "../domain/ports/anchorStore.ts";

/** Anchors in R2, one object a chain and day. A put that finds one there leaves it as it is. */
export const r2Anchors = (bucket: R2Bucket): AnchorStore => {
  const read = async (key: string): Promise<Anchor> =>
    parseAnchor(key, (await (await bucket.get(key))?.text()) ?? "");
  const list = async (prefix: string) => {
    const found = { keys: [] as string[], folders: [] as string[] };
    let cursor: string | undefined;
    do {
      const after = cursor === undefined ? {} : { cursor };
      const page = await bucket.list({ prefix, delimiter: "/", ...after });
      found.keys.push(...page.objects.map(({ key }) => key));
      found.folders.push(...page.delimitedPrefixes);
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
    return found;
  };
  return {
    async place(anchor) {
      const key = anchorKey(anchor, anchor.day);
      const onlyIf = new Headers({ "if-none-match": "*" });
      const written = await bucket.put(key, JSON.stringify(anchor), { onlyIf });
      return written === null ? read(key) : anchor;
    },

    ofChain: async (chain) => {
      const { keys } = await list(chainFolder(chain));
      return Promise.all(keys.sort().map(read));
    },

    projects: async (organizationId) => {
      const { folders } = await list(anchorsFolder(organizationId));
      return folders.map(projectOfFolder);
    },
  };
};
