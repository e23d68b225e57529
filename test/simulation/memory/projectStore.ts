import type { Ids } from "../../../orchestrator/worker/domain/ports/ids.ts";
import type { ProjectStore } from "../../../orchestrator/worker/domain/ports/projectStore.ts";
import type { ProviderConfigStore } from "../../../orchestrator/worker/domain/ports/providerConfigStore.ts";
import { byText, putProject } from "./put.ts";
import { idKey, type Tables } from "./tables.ts";
import { commit, lost, storeError, writeLog } from "./writes.ts";

/** Projects in memory. */
export const memoryProjectStore = (tables: Tables, ids: Ids): ProjectStore => ({
  async create(project, log) {
    const { organizationId, id, name, createdAtMs: nowMs } = project;
    if (tables.projects.has(idKey(organizationId, id))) return lost;
    if (tables.index.projectNames.has(idKey(organizationId, name))) return lost;
    checkOrganization(tables, organizationId);
    putProject(tables, project);
    writeLog(tables, ids, { organizationId, subjectId: id, projectId: id, nowMs }, log);
    return commit(tables);
  },

  find: async (organizationId, id) => tables.projects.get(idKey(organizationId, id)) ?? null,

  async list(organizationId, before, limit) {
    return [...tables.projects.values()]
      .filter(
        (project) =>
          project.organizationId === organizationId && (before === null || project.id < before),
      )
      .sort((a, b) => byText(b.id, a.id))
      .slice(0, limit);
  },
});

/** What organizations have set for their providers, in memory. */
export const memoryProviderConfigStore = (tables: Tables, ids: Ids): ProviderConfigStore => ({
  async all(organizationId) {
    const found = [...tables.providerConfigs.values()]
      .filter((row) => row.organizationId === organizationId)
      .sort((a, b) => byText(a.provider, b.provider));
    return new Map(found.map(({ provider, config }) => [provider, config]));
  },

  async put(organizationId, provider, config, nowMs, log) {
    checkOrganization(tables, organizationId);
    const row = { organizationId, provider, config, updatedAtMs: nowMs };
    tables.providerConfigs.set(idKey(organizationId, provider), row);
    writeLog(tables, ids, { organizationId, subjectId: provider, projectId: "", nowMs }, log);
    commit(tables);
  },
});

function checkOrganization(tables: Tables, organizationId: string): void {
  if (!tables.organizations.has(organizationId)) throw storeError("FOREIGN KEY constraint failed");
}
