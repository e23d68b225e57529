import type { D1Migration } from "@cloudflare/vitest-plugin";

declare global {
  type WorkerEnv = import("../../orchestrator/worker/env.ts").Env;
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof import("./main.ts");
    }
    interface Env extends WorkerEnv {
      TEST_MIGRATIONS: D1Migration[];
    }
  }
}
