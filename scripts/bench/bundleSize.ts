import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { mustRunWrangler } from "../local/wrangler.ts";

export type BundleSize = { totalKiB: number; gzipKiB: number };

/**
 * What `wrangler deploy` would upload of the worker; the image of its containers is another matter, and needs
 * Docker. `look` sees the folder that it is in.
 */
export async function measureBundle(
  look: (folder: string) => Promise<void> = async () => {},
): Promise<BundleSize> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "switchyard-bundle-"));
  try {
    const printed = await mustRunWrangler("Bundling", [
      ...["deploy", "--dry-run", "--containers-rollout", "none", "--outdir", folder],
    ]);
    const [, total, gzip] = /Total Upload: ([\d.]+) KiB \/ gzip: ([\d.]+) KiB/.exec(printed) ?? [];
    if (total === undefined || gzip === undefined) throw new Error(`no sizes in: ${printed}`);
    await look(folder);
    return { totalKiB: Number(total), gzipKiB: Number(gzip) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
