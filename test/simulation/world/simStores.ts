import type { DeadLetter } from "../../../orchestrator/worker/domain/ports/deadLetterStore.ts";
import type { ProviderConfigStore } from "../../../orchestrator/worker/domain/ports/providerConfigStore.ts";
import type {
  Execution,
  Notice,
  Order,
  PatchSetRecord,
  Task,
} from "../../../orchestrator/worker/domain/task.ts";
import type { Stores } from "../../contracts/storeWay.ts";

/** What the invariants look at: every noun as it stands. */
export type View = {
  tasks: readonly Task[];
  executions: readonly { execution: Execution; projectId: string }[];
  patchSets: readonly PatchSetRecord[];
  notices: readonly { notice: Notice; status: string }[];
  deadLetters: readonly DeadLetter[];
  orders: readonly (Order & { organizationId: string })[];
};

/** The stores of a simulated history, with a look behind them that costs no await. */
export type SimStores = Stores & {
  providerConfigs: ProviderConfigStore;
  /** Grows whenever a row may have changed. */
  version(): number;
  view(): Promise<View>;
  /** Puts another tree into a patch set, behind the core's back. */
  remake(patch: PatchSetRecord, treeId: string): Promise<void>;
};
