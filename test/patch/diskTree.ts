import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const patchManagerPath = fileURLToPath(
  new URL("../../apps/patch-manager/patch_manager.py", import.meta.url),
);

export type DiskFile = string | Uint8Array | { text: string; mode: number } | { link: string };

/** Puts files below a new directory, and answers with the directory. */
export function putTree(root: string, files: Record<string, DiskFile>): string {
  mkdirSync(root);
  for (const [name, file] of Object.entries(files)) {
    const place = path.join(root, name);
    mkdirSync(path.dirname(place), { recursive: true });
    if (typeof file === "string" || file instanceof Uint8Array) writeFileSync(place, file);
    else if ("link" in file) symlinkSync(file.link, place);
    else {
      writeFileSync(place, file.text);
      chmodSync(place, file.mode);
    }
  }
  return root;
}
