import type { D1Migration } from "@cloudflare/vitest-plugin";
import type { Env } from "../../orchestrator/worker/env.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof import("./main.ts");
    }
    interface Env extends WorkerEnv {
      TEST_MIGRATIONS: D1Migration[];
    }
  }
  type WorkerEnv = import("../../orchestrator/worker/env.ts").Env;
}
