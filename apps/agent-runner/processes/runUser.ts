import { SwitchyardError } from "../../../shared/errors.ts";
import { systemPath } from "./environment.ts";
import { runProgram } from "./runProgram.ts";

/**
 * The user that agents and a project's own commands run as. Where there is one, the runner is another user: what
 * it keeps cannot be read, and it cannot be signalled. Null = they run as the runner itself.
 */
export type RunUser = { uid: number; gid: number };

/** Hands over folders with all that is in them. No link in them is followed. */
export async function giveTo(user: RunUser | null, folders: readonly string[]): Promise<void> {
  if (user === null) return;
  const { exitCode, stderr } = await runProgram({
    argv: ["chown", "-R", "-h", `${user.uid}:${user.gid}`, "--", ...folders],
    cwd: "/",
    env: { PATH: systemPath },
    timeLimitMs: 300_000,
    maxOutputBytes: 64 * 1024,
  });
  if (exitCode !== 0)
    throw new SwitchyardError("internal", `The workspace could not be handed over: ${stderr}`);
}
