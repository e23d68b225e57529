/**
 * `npm run db:generate -- --name what_changes`: lets drizzle-kit write the next migration and makes every new
 * table WITHOUT ROWID, which drizzle-kit has no word for and which halves the rows that D1 counts as written.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
const folder = path.join(root, "migrations");
const migrations = () => {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".sql"));
  } catch {
    return [];
  }
};

const before = new Set(migrations());
const kit = path.join(root, "node_modules/drizzle-kit/bin.cjs");
const run = spawnSync(process.execPath, [kit, "generate", ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
if (run.status !== 0) process.exit(run.status ?? 1);

for (const name of migrations()) {
  if (before.has(name)) continue;
  const file = path.join(folder, name);
  const sql = readFileSync(file, "utf8");
  writeFileSync(file, sql.replaceAll(/^\);$/gm, ") WITHOUT ROWID;"));
  console.log(`migrations/${name}`);
}
