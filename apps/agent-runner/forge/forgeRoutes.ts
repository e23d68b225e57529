import { createReadStream } from "node:fs";
import { mkdtemp, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { readFilesRequestSchema } from "../../../shared/contracts/forgeFiles.ts";
import { goesOnRequestSchema } from "../../../shared/contracts/forgeHistory.ts";
import {
  bundleHeaders,
  bundleRequestSchema,
  commitRequestSchema,
  moveRefRequestSchema,
  patchReportSchema,
  readRefRequestSchema,
} from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { isAncestor } from "../git/ancestry.ts";
import { createBaseRepository } from "../git/baseRepository.ts";
import { writeBundle } from "../git/bundles.ts";
import { openLocalSource, resolveSource } from "../git/localSource.ts";
import { parseRequest } from "../http/parseRequest.ts";
import { readJson } from "../http/readBody.ts";
import type { Call, Route } from "../http/router.ts";
import { smallBodyBytes } from "../http/runRoutes.ts";
import { patchRepository } from "../patch-run/runPatch.ts";
import { removeTree } from "../state/removeTree.ts";
import { makeCommit } from "./commit.ts";
import { readFiles } from "./files.ts";
import { moveRef, readRef } from "./refs.ts";

export type ForgeDeps = {
  roots: readonly string[];
  /** A folder for what lives as long as one call. */
  scratch: string;
  /** The patch runs, whose trees are what is delivered. */
  patches: {
    result(id: string): Promise<{ report: unknown }>;
    folder(id: string): string;
  };
};

/** The repository of a local source, as a place to deliver to. */
export const forgeRoutes = (deps: ForgeDeps): Route[] => [
  { method: "POST", path: "/forge/bundle", handle: (call) => answerBundle(deps, call) },
  { method: "POST", path: "/forge/ref", handle: (call) => answerRef(deps, call) },
  { method: "POST", path: "/forge/files", handle: (call) => answerFiles(deps, call) },
  { method: "POST", path: "/forge/commit", handle: (call) => answerCommit(deps, call) },
  { method: "POST", path: "/forge/move-ref", handle: (call) => answerMove(deps, call) },
  { method: "POST", path: "/forge/goes-on", handle: (call) => answerGoesOn(deps, call) },
];

/** The one answer that is no JSON: a git bundle, with what it holds in its headers. */
async function answerBundle(deps: ForgeDeps, { request, response }: Call): Promise<undefined> {
  const { source } = parseRequest(bundleRequestSchema, await body(request));
  const resolved = await resolveSource(source, { roots: deps.roots, bundles: null });
  const folder = await mkdtemp(join(deps.scratch, "bundle-"));
  try {
    const file = join(folder, "source.bundle");
    const base = await createBaseRepository(join(folder, "base.git"), resolved);
    await writeBundle(base, resolved, file);
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": (await stat(file)).size,
      [bundleHeaders.commit]: resolved.commit,
      [bundleHeaders.branch]: encodeURIComponent(resolved.branch ?? ""),
    });
    await pipeline(createReadStream(file), response).catch(() => response.destroy());
  } finally {
    await removeTree(folder);
  }
}

async function answerRef({ roots }: ForgeDeps, { request }: Call) {
  const { source, ref } = parseRequest(readRefRequestSchema, await body(request));
  return { commit: await readRef(await openLocalSource(source, roots), ref) };
}

async function answerFiles({ roots }: ForgeDeps, { request }: Call) {
  const { source, ...wanted } = parseRequest(readFilesRequestSchema, await body(request));
  return { files: await readFiles(await openLocalSource(source, roots), wanted) };
}

async function answerMove({ roots }: ForgeDeps, { request }: Call) {
  const { source, ...move } = parseRequest(moveRefRequestSchema, await body(request));
  return moveRef(await openLocalSource(source, roots), move);
}

async function answerGoesOn({ roots }: ForgeDeps, { request }: Call) {
  const { source, commit, from } = parseRequest(goesOnRequestSchema, await body(request));
  const repository = await openLocalSource(source, roots);
  return { goesOn: await isAncestor(repository.git, from, commit) };
}

async function answerCommit({ roots, patches }: ForgeDeps, { request }: Call) {
  const wanted = parseRequest(commitRequestSchema, await body(request));
  const repository = await openLocalSource(wanted.source, roots);
  const report = patchReportSchema.safeParse((await patches.result(wanted.patchSetId)).report);
  const applied = report.success && report.data.kind === "applied" ? report.data : null;
  if (applied?.treeId !== wanted.treeId)
    throw new SwitchyardError(
      "invalid_request",
      `The patch run ${wanted.patchSetId} did not end with the tree ${wanted.treeId}.`,
    );
  const gitDir = patchRepository(patches.folder(wanted.patchSetId));
  return { commit: await makeCommit(repository, { gitDir }, wanted) };
}

const body = (request: Call["request"]) => readJson(request, smallBodyBytes);
