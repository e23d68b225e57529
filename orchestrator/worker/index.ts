import { compose } from "./compose.ts";
import { tick } from "./entrypoints/cron.ts";
import { consumeDeadLetters } from "./entrypoints/deadLetters.ts";
import { httpApp } from "./entrypoints/http/app.ts";
import { consumeTasks } from "./entrypoints/queue.ts";
import type { Env } from "./env.ts";

export { ContainerProxy } from "@cloudflare/containers";
export { AgentContainer } from "./durable/containerEgress.ts";
export { EgressGuard } from "./durable/EgressGuard.ts";
export { TaskSupervisor } from "./durable/TaskSupervisor.ts";
export { AIProviderOps } from "./entrypoints/AIProviderOps.ts";
export { ContainerEgress } from "./entrypoints/ContainerEgress.ts";
export { PatchOps } from "./entrypoints/PatchOps.ts";
export { TaskOps } from "./entrypoints/tasks.ts";

const app = httpApp();

export default {
  fetch: app.fetch,

  async queue(batch, env) {
    const consume = batch.queue.endsWith("-dlq") ? consumeDeadLetters : consumeTasks;
    await consume(compose(env), batch);
  },

  async scheduled(_controller, env) {
    await tick(compose(env));
  },
} satisfies ExportedHandler<Env>;
