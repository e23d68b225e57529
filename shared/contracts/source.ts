import { z } from "zod";

/** What git itself takes for a branch name, and nothing that a command line could read as an option or a path. */
export const branchNameSchema = z.string().min(1).max(200).refine(isSafeBranchName, {
  error: "must be a plain git branch name, such as main or feature/login",
});

export const commitIdSchema = z.string().regex(/^[0-9a-f]{40}$/, {
  error: "must be a full commit id of 40 hexadecimal digits",
});

const repositoryNameSchema = z.string().regex(/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/, {
  error: "must be owner/name",
});

const at = { branch: branchNameSchema.optional(), commit: commitIdSchema.optional() };

/** Where a task's code comes from. A source without a commit means the head of the branch when the run starts. */
export const sourceSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("github"), repo: repositoryNameSchema, ...at }),
    z.strictObject({ kind: z.literal("gitea"), repo: repositoryNameSchema, ...at }),
    z.strictObject({ kind: z.literal("bundle"), r2: z.string().min(1).max(500), ...at }),
    z.strictObject({ kind: z.literal("local"), path: z.string().min(1).max(4096), ...at }),
  ])
  .meta({ id: "Source" });

export type Source = z.infer<typeof sourceSchema>;
export type SourceKind = Source["kind"];

/** The rules of `git check-ref-format --branch`, with a leading dash refused as git refuses it. */
export function isSafeBranchName(name: string): boolean {
  if (name.startsWith("-") || name.startsWith("/") || name.endsWith("/") || name.endsWith("."))
    return false;
  if (name.includes("..") || name.includes("//") || name.includes("@{") || name === "@")
    return false;
  if (/[\p{Cc} ~^:?*[\\]/u.test(name)) return false;
  return name.split("/").every((part) => !part.startsWith(".") && !part.endsWith(".lock"));
}
