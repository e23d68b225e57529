import type { LogEntry, Project } from "../task.ts";
import type { Guarded } from "./taskStore.ts";

export type ProjectStore = {
  /** Lost = the organization has a project of that name. */
  create(project: Project, log: LogEntry): Promise<Guarded>;
  find(organizationId: string, id: string): Promise<Project | null>;
  list(organizationId: string, before: string | null, limit: number): Promise<Project[]>;
};
