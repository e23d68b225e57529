import type { Principal } from "../../../../shared/contracts/identity.ts";
import type { Deps } from "../../compose.ts";
import type { Env } from "../../env.ts";

/** What the middleware leaves for the routes. */
export type HttpEnv = {
  Bindings: Env;
  Variables: { requestId: string; deps: Deps; principal: Principal };
};
