import type { SimStores } from "./simStores.ts";

type Fenced = { organizationId: string; taskId: string; fence: number };

/** I8: tells of every write that was done with a fence lower than the task's. */
export function fencedStores(stores: SimStores, onLowFence: (what: string) => void): SimStores {
  const fenceOf = async ({ taskId }: Fenced): Promise<number> =>
    (await stores.view()).tasks.find(({ id }) => id === taskId)?.fence ?? 0;
  const watched =
    <A extends unknown[], R extends { kind: string }>(
      name: string,
      refOf: (args: A) => Fenced,
      write: (...args: A) => Promise<R>,
    ) =>
    async (...args: A): Promise<R> => {
      const ref = refOf(args);
      const current = await fenceOf(ref);
      const answer = await write(...args);
      if (answer.kind === "done" && ref.fence < current)
        onLowFence(`${name} of ${ref.taskId} was done with fence ${ref.fence} at fence ${current}`);
      return answer;
    };
  const { executions, patchSets } = stores;
  const first = ([ref]: [Fenced, ...unknown[]]) => ref;
  return {
    ...stores,
    executions: {
      ...executions,
      enterStarting: watched("the gate", first, executions.enterStarting),
      markRunning: watched("running", first, executions.markRunning),
      settle: watched("a settlement", ([{ ref }]) => ref, executions.settle),
    },
    patchSets: {
      ...patchSets,
      beginValidation: watched("validation", first, patchSets.beginValidation),
      awaitApproval: watched("an approval's request", first, patchSets.awaitApproval),
      approve: watched("an approval", first, patchSets.approve),
      beginDelivery: watched("delivery", first, patchSets.beginDelivery),
      deliver: watched("delivered", first, patchSets.deliver),
      bringOnto: watched("the way back", first, patchSets.bringOnto),
      findApplied: watched("applied already", first, patchSets.findApplied),
      end: watched("a patch's end", first, patchSets.end),
    },
  };
}
