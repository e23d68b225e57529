import { rm } from "node:fs/promises";
import { join } from "node:path";
import { unpackBundle } from "./git/bundles.ts";
import { checkRunId } from "./http/parseRequest.ts";
import { readIntoFile } from "./http/readFile.ts";
import type { Route } from "./http/router.ts";

const largestBundleBytes = 1024 * 1024 * 1024;

/**
 * Sources for a runner on a machine that has no repositories: a git bundle under a name, which a run then names
 * as its source. The same name again replaces it.
 */
export const bundleRoutes = (folder: string): Route[] => [
  {
    method: "PUT",
    path: "/bundles/:id",
    handle: async ({ id, request }) => {
      const file = join(folder, `${checkRunId(id)}.bundle`);
      await rm(file, { force: true });
      try {
        const bytes = await readIntoFile(request, file, largestBundleBytes);
        await unpackBundle(folder, id, file);
        return { bytes };
      } finally {
        await rm(file, { force: true });
      }
    },
  },
];
