import type { ProviderConfig } from "../../../../shared/contracts/provider.ts";
import type { LogEntry } from "../task.ts";

export type ProviderConfigStore = {
  /** The configured providers of an organization, by name. */
  all(organizationId: string): Promise<Map<string, ProviderConfig>>;
  put(
    organizationId: string,
    provider: string,
    config: ProviderConfig,
    nowMs: number,
    log: LogEntry,
  ): Promise<void>;
};
