import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { mustRunWrangler, projectRoot } from "./wrangler.ts";

/** Brings a local database up to date; when no migration is new, it takes no time. */
export async function applyMigrations(persist: string, cancelled?: AbortSignal): Promise<void> {
  const stampFile = path.join(persist, "migrations.sha256");
  const stamp = await stampOfMigrations();
  if ((await readFile(stampFile, "utf8").catch(() => "")) === stamp) return;
  await mkdir(persist, { recursive: true, mode: 0o700 });
  const apply = ["d1", "migrations", "apply", "switchyard", "--local", "--persist-to", persist];
  await mustRunWrangler("Applying the migrations", apply, cancelled);
  await writeFile(stampFile, stamp);
}

async function stampOfMigrations(): Promise<string> {
  const folder = path.join(projectRoot, "migrations");
  const hash = createHash("sha256");
  for (const name of (await readdir(folder)).sort())
    if (name.endsWith(".sql")) hash.update(name).update(await readFile(path.join(folder, name)));
  return hash.digest("hex");
}
