import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { projectRoot } from "./wrangler.ts";

export const defaultStateFolder = path.join(projectRoot, ".switchyard/local");
export const defaultAgentsFolder = path.join(projectRoot, ".switchyard/agents");

const secretsSchema = z.strictObject({
  /** Marks every process of this deployment, so that none is left behind. */
  deploymentId: z.string(),
  runnerToken: z.string(),
  patchRunnerToken: z.string(),
  callbackSecret: z.string(),
  adminToken: z.string().nullable(),
});
export type LocalSecrets = z.infer<typeof secretsSchema>;

const secretsFile = (folder: string) => path.join(folder, "secrets.json");

/** The secrets of a local deployment, made at its first start. They stay in its folder, for its owner alone. */
export async function openStateFolder(folder: string): Promise<LocalSecrets> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const known = await readFile(secretsFile(folder), "utf8").catch(() => null);
  if (known !== null) return secretsSchema.parse(JSON.parse(known));
  const secret = () => randomBytes(32).toString("base64url");
  const made = {
    deploymentId: randomBytes(12).toString("hex"),
    runnerToken: secret(),
    patchRunnerToken: secret(),
    callbackSecret: `whsec_${randomBytes(32).toString("base64")}`,
    adminToken: null,
  };
  await writeSecrets(folder, made);
  return made;
}

export const writeSecrets = (folder: string, secrets: LocalSecrets): Promise<void> =>
  writeFile(secretsFile(folder), `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });

export const maskFileOf = (folder: string): string => path.join(folder, "mask.json");

/**
 * All secrets of the deployment, for the runners to mask: commands run as the person here and can read this
 * folder, so what they print may hold any of them.
 */
export async function writeMaskFile(
  folder: string,
  secrets: ReadonlyMap<string, string>,
): Promise<void> {
  const file = maskFileOf(folder);
  await writeFile(file, JSON.stringify(Object.fromEntries(secrets)), { mode: 0o600 });
  await chmod(file, 0o600);
}
