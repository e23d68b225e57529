import worker, { TaskSupervisor as Supervisor } from "../../orchestrator/worker/index.ts";
import { withContainers } from "./containers.ts";
import { counting, countMessages, countRequest, countStorage } from "./counting.ts";
import { registerObject, withCrashPoints } from "./crashes.ts";
import { consume } from "./messages.ts";
import { withFactory } from "./withFactory.ts";

export {
  AIProviderOps,
  ContainerEgress,
  ContainerProxy,
  EgressGuard,
  PatchOps,
  TaskOps,
} from "../../orchestrator/worker/index.ts";
export { FactoryContainers } from "../../shared/containers/FactoryContainers.ts";
export { AgentContainer } from "../fakes/fakeContainer.ts";

const bindings = (env: WorkerEnv): WorkerEnv => counting(withContainers(withFactory(env)));

/** The worker under test, with every binding counted. */
export default {
  fetch: (request, env, context) => worker.fetch(request, bindings(env), context),
  queue: (batch, env) => {
    countMessages(batch.messages.length);
    return consume(batch, bindings(env));
  },
  scheduled: (controller, env) => worker.scheduled(controller, bindings(env)),
} satisfies ExportedHandler<WorkerEnv>;

export class TaskSupervisor extends Supervisor {
  constructor(ctx: DurableObjectState, env: WorkerEnv) {
    countStorage(ctx.storage);
    registerObject(ctx);
    super(ctx, withCrashPoints(ctx, bindings(env)));
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
