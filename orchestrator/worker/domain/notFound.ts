import { SwitchyardError } from "../../../shared/errors.ts";

/** A foreign id answers as an unknown one. */
export const taskNotFound = (id: string): SwitchyardError =>
  new SwitchyardError("task_not_found", `There is no task ${id}. GET /api/v1/tasks lists yours.`);

export const projectNotFound = (id: string): SwitchyardError =>
  new SwitchyardError(
    "project_not_found",
    `There is no project ${id}. GET /api/v1/projects lists yours.`,
  );

export const patchNotFound = (id: string): SwitchyardError =>
  new SwitchyardError("patch_not_found", `There is no patch set ${id}.`);
