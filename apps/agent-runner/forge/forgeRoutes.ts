import {
  commitRequestSchema,
  moveRefRequestSchema,
  patchReportSchema,
  readRefRequestSchema,
} from "../../../shared/contracts/runner.ts";
import { SwitchyardError } from "../../../shared/errors.ts";
import { openLocalSource } from "../git/localSource.ts";
import { parseRequest } from "../http/parseRequest.ts";
import { readJson } from "../http/readBody.ts";
import type { Call, Route } from "../http/router.ts";
import { smallBodyBytes } from "../http/runRoutes.ts";
import { patchRepository } from "../patch-run/runPatch.ts";
import { makeCommit } from "./commit.ts";
import { moveRef, readRef } from "./refs.ts";

export type ForgeDeps = {
  roots: readonly string[];
  /** The patch runs, whose trees are what is delivered. */
  patches: {
    result(id: string): Promise<{ report: unknown }>;
    folder(id: string): string;
  };
};

/** The repository of a local source, as a place to deliver to. */
export const forgeRoutes = (deps: ForgeDeps): Route[] => [
  { method: "POST", path: "/forge/ref", handle: (call) => answerRef(deps, call) },
  { method: "POST", path: "/forge/commit", handle: (call) => answerCommit(deps, call) },
  { method: "POST", path: "/forge/move-ref", handle: (call) => answerMove(deps, call) },
];

async function answerRef({ roots }: ForgeDeps, { request }: Call) {
  const { source, ref } = parseRequest(readRefRequestSchema, await body(request));
  return { commit: await readRef(await openLocalSource(source, roots), ref) };
}

async function answerMove({ roots }: ForgeDeps, { request }: Call) {
  const { source, ...move } = parseRequest(moveRefRequestSchema, await body(request));
  return moveRef(await openLocalSource(source, roots), move);
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
