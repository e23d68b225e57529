import worker, { TaskSupervisor as Supervisor } from "../../orchestrator/worker/index.ts";
import { counting, countMessages, countRequest, countStorage } from "./counting.ts";
import { registerObject, withCrashPoints } from "./crashes.ts";
import { consume } from "./messages.ts";

export {
  AgentContainer,
  AIProviderOps,
  ContainerProxy,
  TaskOps,
} from "../../orchestrator/worker/index.ts";

/** The worker under test, with every binding counted. */
export default {
  fetch: (request, env, context) => worker.fetch(request, counting(env), context),
  queue: (batch, env) => {
    countMessages(batch.messages.length);
    return consume(batch, counting(env));
  },
  scheduled: (controller, env) => worker.scheduled(controller, counting(env)),
} satisfies ExportedHandler<WorkerEnv>;

export class TaskSupervisor extends Supervisor {
  constructor(ctx: DurableObjectState, env: WorkerEnv) {
    countStorage(ctx.storage);
    registerObject(ctx);
    super(ctx, withCrashPoints(ctx, counting(env)));
  }

  override start(...input: Parameters<Supervisor["start"]>) {
    countRequest();
    return super.start(...input);
  }

  override poke(...input: Parameters<Supervisor["poke"]>) {
    countRequest();
    return super.poke(...input);
  }

  override ring(...input: Parameters<Supervisor["ring"]>) {
    countRequest();
    return super.ring(...input);
  }

  override alarm() {
    countRequest();
    return super.alarm();
  }

  override fetch(...input: Parameters<Supervisor["fetch"]>) {
    countRequest();
    return super.fetch(...input);
  }
}
