import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** After this the file holds the new content, or, whatever happens in between, the old one. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const draft = `${path}.draft`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}
