import { WorkerEntrypoint } from "cloudflare:workers";
import { z } from "zod";
import {
  listPatchesSchema,
  type PatchOpsContract,
  patchOpsArguments,
} from "../../../shared/contracts/patchOps.ts";
import { patchSetStatuses } from "../domain/states.ts";
import type { Env } from "../env.ts";
import { checkPatch } from "../services/patch-manager/checkPatch.ts";
import { getPatchSet, listPatches } from "../services/patch-manager/readPatches.ts";
import { diffOfPatch, filesOfPatch } from "../services/patch-manager/showChanges.ts";
import { revertPatch } from "../services/tasks/revertPatch.ts";
import { parseArguments } from "./arguments.ts";
import { answer } from "./callers.ts";

/** Patch sets, for factories over a service binding. */
export class PatchOps extends WorkerEntrypoint<Env> implements PatchOpsContract {
  listPatches(...input: Parameters<PatchOpsContract["listPatches"]>) {
    return answer(this.env, this.ctx.props, (deps, factory) => {
      const [{ status, before, limit }] = parseArguments(listArguments, input);
      return listPatches(deps, factory, {
        limit,
        ...(status === undefined ? {} : { status }),
        ...(before === undefined ? {} : { before }),
      });
    });
  }

  getPatch(...input: Parameters<PatchOpsContract["getPatch"]>) {
    return answer(this.env, this.ctx.props, (deps, factory) => {
      const [id] = parseArguments(patchOpsArguments.getPatch, input);
      return getPatchSet(deps, factory, id);
    });
  }

  diffOfPatch(...input: Parameters<PatchOpsContract["diffOfPatch"]>) {
    return answer(this.env, this.ctx.props, (deps, factory) => {
      const [id] = parseArguments(patchOpsArguments.diffOfPatch, input);
      return diffOfPatch(deps, factory, id);
    });
  }

  filesOfPatch(...input: Parameters<PatchOpsContract["filesOfPatch"]>) {
    return answer(this.env, this.ctx.props, (deps, factory) => {
      const [id] = parseArguments(patchOpsArguments.filesOfPatch, input);
      return filesOfPatch(deps, factory, id);
    });
  }

  checkPatch(...input: Parameters<PatchOpsContract["checkPatch"]>) {
    return answer(this.env, this.ctx.props, (deps, factory) => {
      const [id, at] = parseArguments(patchOpsArguments.checkPatch, input);
      return checkPatch(deps, factory, id, at ?? {});
    });
  }

  revertPatch(...input: Parameters<PatchOpsContract["revertPatch"]>) {
    return answer(this.env, this.ctx.props, async (deps, factory) => {
      const [id, request, key] = parseArguments(patchOpsArguments.revertPatch, input);
      return (await revertPatch(deps, factory, id, request, key ?? null)).view;
    });
  }
}

const listArguments = z.tuple([
  listPatchesSchema.extend({ status: z.enum(patchSetStatuses).optional() }).prefault({}),
]);
