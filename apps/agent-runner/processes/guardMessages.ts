import type { RunUser } from "./runUser.ts";

/** What runner and guard say to each other: one JSON object a line, over the guard's descriptor 3. */

/** The first line to the guard. */
export type GuardOrder = {
  argv: readonly string[];
  cwd: string;
  env: Record<string, string>;
  /** `NAME=value` entries that every process of this command carries in its environment. */
  markers: readonly string[];
  /** Whom the command runs as; null = as the guard itself. */
  user: RunUser | null;
};

/** Every later line to the guard. */
export type GuardSignal = { signal: NodeJS.Signals };

export type CommandExit = { exitCode: number | null; signal: string | null };

/** Every line from the guard. */
export type GuardReport =
  | { kind: "started"; pid: number }
  | { kind: "not_started"; message: string }
  | ({ kind: "exited" } & CommandExit);

/** Splits what arrives into messages; a partial line waits for its rest. */
export function createMessageReader<Message>(onMessage: (message: Message) => void) {
  let rest = "";
  return (chunk: string): void => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onMessage(JSON.parse(line) as Message);
  };
}
