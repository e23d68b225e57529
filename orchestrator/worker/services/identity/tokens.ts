import type { CreateToken, Principal } from "../../../../shared/contracts/identity.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { IdentityStore } from "../../domain/ports/identityStore.ts";
import type { Ids } from "../../domain/ports/ids.ts";

export type IdentityDeps = { identities: IdentityStore; clock: Clock; ids: Ids };

/** Makes leaked tokens easy to find by a scanner; the 256 bits behind it are the secret. */
const tokenPrefix = "swy_";

/** Who sends this token; null when nobody does. */
export async function authenticate(
  deps: Pick<IdentityDeps, "identities" | "clock">,
  token: string,
): Promise<Principal | null> {
  if (!token.startsWith(tokenPrefix)) return null;
  return deps.identities.findPrincipal(await tokenSha256(token), deps.clock.nowMs());
}

/** Makes a token of the caller's organization. Its value is in the answer and nowhere else. */
export async function createToken(
  deps: IdentityDeps,
  admin: Principal,
  request: CreateToken,
): Promise<{
  id: string;
  token: string;
  principal: string;
  role: string;
  expiresAtMs: number | null;
}> {
  const nowMs = deps.clock.nowMs();
  const id = deps.ids.next("tok");
  const token = tokenPrefix + deps.ids.token();
  const expiresAtMs =
    request.expiresInDays === undefined ? null : nowMs + request.expiresInDays * 86_400_000;
  await deps.identities.createToken({
    id,
    sha256: await tokenSha256(token),
    principal: {
      id: request.principal,
      organizationId: admin.organizationId,
      role: request.role,
    },
    expiresAtMs,
    nowMs,
    log: {
      actor: admin.id,
      action: "token.created",
      message: `${admin.id} made a token for ${request.principal} (${request.role}).`,
    },
  });
  return { id, token, principal: request.principal, role: request.role, expiresAtMs };
}

export async function tokenSha256(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
