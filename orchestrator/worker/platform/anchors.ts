import { z } from "zod";
import { SwitchyardError } from "../../../shared/errors.ts";
import type { Anchor, AnchorStore } from "../domain/ports/anchorStore.ts";
import type { ChainRef } from "../domain/ports/auditStore.ts";

const anchorSchema = z.strictObject({
  organizationId: z.string(),
  projectId: z.string(),
  day: z.string(),
  number: z.int(),
  hash: z.string(),
});

/** Anchors in R2, one object a chain and day. A put that finds one there leaves it as it is. */
export const r2Anchors = (bucket: R2Bucket): AnchorStore => {
  const read = async (key: string): Promise<Anchor> => {
    const parsed = anchorSchema.safeParse(parse(await (await bucket.get(key))?.text()));
    if (parsed.success) return parsed.data;
    throw new SwitchyardError("internal", `The anchor ${key} cannot be read.`);
  };
  return {
    async place(anchor) {
      const key = `${folderOf(anchor)}${anchor.day}.json`;
      const onlyIf = new Headers({ "if-none-match": "*" });
      const written = await bucket.put(key, JSON.stringify(anchor), { onlyIf });
      return written === null ? read(key) : anchor;
    },

    async ofChain(chain) {
      const keys: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await bucket.list({
          prefix: folderOf(chain),
          ...(cursor === undefined ? {} : { cursor }),
        });
        keys.push(...page.objects.map(({ key }) => key));
        cursor = page.truncated ? page.cursor : undefined;
      } while (cursor !== undefined);
      return Promise.all(keys.sort().map(read));
    },
  };
};

/** Ids of projects have no dash alone, so it stands for none. */
const folderOf = ({ organizationId, projectId }: ChainRef): string =>
  `${organizationId}/audit/${projectId || "-"}/`;

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return null;
  }
}
