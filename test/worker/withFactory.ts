import { exports } from "cloudflare:workers";

/** One factory has containers of its own; its worker is this one too. */
export const withFactory = (env: WorkerEnv): WorkerEnv => ({
  ...env,
  FACTORY_CONTAINERS: JSON.stringify([
    { organization: "org_acme", factory: "acme", binding: "FACTORY_ACME" },
  ]),
  ...{ FACTORY_ACME: exports.FactoryContainers },
});
