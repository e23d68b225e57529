export {
  AIProviderOps,
  default,
  TaskOps,
  TaskSupervisor,
} from "../../orchestrator/worker/index.ts";
