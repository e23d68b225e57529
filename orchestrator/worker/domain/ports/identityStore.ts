import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { LogEntry } from "../task.ts";

export type NewToken = {
  id: string;
  sha256: string;
  principal: Principal;
  expiresAtMs: number | null;
  nowMs: number;
  log: LogEntry;
};

export type IdentityStore = {
  /** Who holds the token with this SHA-256; null when there is none, or it is revoked or expired. */
  findPrincipal(tokenSha256: string, nowMs: number): Promise<Principal | null>;
  createToken(token: NewToken): Promise<void>;
  organizationExists(organizationId: string): Promise<boolean>;
};
