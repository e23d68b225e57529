import worker, { TaskSupervisor as Supervisor } from "../../orchestrator/worker/index.ts";
import { withContainers } from "./containers.ts";
import { counting, countMessages, countRequest, countStorage } from "./counting.ts";
import { registerObject, withCrashPoints } from "./crashes.ts";
import { consume } from "./messages.ts";

export {
  AgentContainer,
  AIProviderOps,
  ContainerProxy,
  TaskOps,
} from "../../orchestrator/worker/index.ts";

const deployed = (env: WorkerEnv): WorkerEnv => counting(withContainers(env));

/** The worker under test, with every binding counted. */
export default {
  fetch: (request, env, context) => worker.fetch(request, deployed(env), context),
  queue: (batch, env) => {
    countMessages(batch.messages.length);
    return consume(batch, deployed(env));
  },
  scheduled: (controller, env) => worker.scheduled(controller, deployed(env)),
} satisfies ExportedHandler<WorkerEnv>;

export class TaskSupervisor extends Supervisor {
  constructor(ctx: DurableObjectState, env: WorkerEnv) {
    countStorage(ctx.storage);
    registerObject(ctx);
    super(ctx, withCrashPoints(ctx, deployed(env)));
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
