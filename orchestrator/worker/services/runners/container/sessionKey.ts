import { sessionIdPattern } from "../../../../../shared/contracts/sessionArchive.ts";
import type { SessionRef } from "../../../domain/ports/runner.ts";

/**
 * Where the session of an agent lies: below its task, beside the transcript. Null for an id that is none: the agent
 * makes it up, and only it is not ours.
 */
export const sessionKey = ({ organizationId, taskId, agent, id }: SessionRef): string | null =>
  sessionIdPattern.test(id) ? `${organizationId}/${taskId}/sessions/${agent}/${id}.ndjson` : null;
