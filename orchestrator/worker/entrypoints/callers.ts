import { factoryPropsSchema, type Principal } from "../../../shared/contracts/identity.ts";
import { errorTable, SwitchyardError } from "../../../shared/errors.ts";
import { ok, type Result } from "../../../shared/result.ts";
import { compose, type Deps, platformLog } from "../compose.ts";
import type { Env } from "../env.ts";

/**
 * Runs one call of a service binding: who calls is fixed in the binding's `props`, and an error becomes data,
 * since a thrown one loses its code on the way.
 */
export async function answer<T>(
  env: Env,
  props: unknown,
  work: (deps: Deps, factory: Principal) => Promise<T>,
): Promise<Result<T>> {
  try {
    return ok(await work(compose(env), callerOf(props)));
  } catch (error) {
    if (error instanceof SwitchyardError) {
      if (errorTable[error.code].http >= 500) platformLog.error("rpc.failed", { error });
      return { ok: false, error: { code: error.code, message: error.message } };
    }
    platformLog.error("rpc.failed", { error });
    return { ok: false, error: { code: "internal", message: "Something went wrong here." } };
  }
}

function callerOf(props: unknown): Principal {
  const parsed = factoryPropsSchema.safeParse(props);
  if (!parsed.success)
    throw new SwitchyardError(
      "unauthenticated",
      'The service binding carries no identity: give it "props": { "organization": …, "factory": … }.',
    );
  const { organization, factory } = parsed.data;
  return { id: `factory:${factory}`, organizationId: organization, role: "member" };
}
