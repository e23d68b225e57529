import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import type { AgentCommand, AgentRequest, FoundAgent, LineAdapter } from "./agentAdapter.ts";
import { createCursorParser } from "./cursorEvents.ts";

/**
 * Cursor's agent, by its documentation alone: no version of it could be run or recorded. The worker gives it a
 * task only where the deployment allows providers that are not verified.
 */
export const cursor: LineAdapter = {
  name: "cursor",
  find: findCursor,
  command: commandOf,
  seedHome: async () => {},
  firstSignal: "SIGTERM",
  lingerMs: 20_000,
  sessionPaths: [".cursor"],
  createParser: createCursorParser,
};

/** It is on no registry, so nothing here can pin or install it. */
async function findCursor(agentsDirectory: string): Promise<FoundAgent> {
  const program = join(agentsDirectory, "cursor", "cursor-agent");
  const isThere = await access(program, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (isThere) return { kind: "installed", version: "unpinned", program: [program] };
  return {
    kind: "missing",
    message: `cursor is not on npm: install it as its makers say, and link its program to ${program}`,
  };
}

/** Its back end is its own, so an endpoint is of no use to it; and it is told to take a prompt as an argument. */
function commandOf(program: readonly string[], request: AgentRequest): AgentCommand {
  const { session, model, prompt } = request;
  return {
    argv: [
      ...program,
      ...["-p", "--output-format", "stream-json", "--force", "--trust"],
      ...(session.kind === "resume" ? ["--resume", session.id] : []),
      ...(model === undefined ? [] : ["--model", model]),
      prompt,
    ],
    env: {},
    stdin: "",
  };
}
