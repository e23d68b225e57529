import type { Log } from "../domain/ports/log.ts";

type Level = "info" | "warn" | "error";

/** One JSON line an event, for Workers Logs. An Error shows its code and message, never the values in its cause. */
export const consoleLog: Log = {
  info: (event, fields) => write("info", event, fields),
  warn: (event, fields) => write("warn", event, fields),
  error: (event, fields) => write("error", event, fields),
};

function write(level: Level, event: string, fields: Record<string, unknown> = {}): void {
  const shown = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, show(value)]),
  );
  // biome-ignore lint/suspicious/noConsole: the console is where Workers Logs are read from
  console[level](JSON.stringify({ event, ...shown }));
}

function show(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return { name: value.name, message: value.message, ...reasonOf(value) };
}

/** D1 puts the values of parameters into its own message; only the part before them is kept. */
function reasonOf(error: Error): { reason?: string } {
  if (!(error.cause instanceof Error)) return {};
  const deepest = error.cause.cause instanceof Error ? error.cause.cause : error.cause;
  return { reason: deepest.message.split("\nparams:")[0]?.slice(0, 300) ?? "" };
}
