import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { SwitchyardError } from "../../../shared/errors.ts";

export type ProgramRequest = {
  argv: readonly string[];
  cwd: string;
  env: Record<string, string>;
  stdin?: Uint8Array | string;
  timeLimitMs: number;
  maxOutputBytes: number;
  signal?: AbortSignal | undefined;
};

export type ProgramOutcome = { exitCode: number | null; stdout: Buffer; stderr: string };

/**
 * Runs one of the runner's own tools to its end. An abort, the time limit or too much output ends it and
 * throws; an exit code is the caller's to judge.
 */
export async function runProgram(request: ProgramRequest): Promise<ProgramOutcome> {
  const [program = "", ...args] = request.argv;
  const ending = new AbortController();
  const end = (what: string) =>
    ending.abort(new SwitchyardError("internal", `${program} ${what} and was ended.`));
  const timer = setTimeout(
    () => end(`took longer than ${request.timeLimitMs} ms`),
    request.timeLimitMs,
  );
  const child = spawn(program, args, {
    cwd: request.cwd,
    env: request.env,
    stdio: ["pipe", "pipe", "pipe"],
    signal: request.signal ? AbortSignal.any([ending.signal, request.signal]) : ending.signal,
    killSignal: "SIGKILL",
  });
  child.stdin.on("error", () => {});
  child.stdin.end(request.stdin ?? "");
  try {
    const tooMuch = () => end(`wrote more than ${request.maxOutputBytes} bytes`);
    const [exitCode, stdout, stderr] = await Promise.all([
      endOf(child),
      collect(child.stdout, request.maxOutputBytes, tooMuch),
      collect(child.stderr, 64 * 1024, () => {}),
    ]);
    return { exitCode, stdout, stderr: stderr.toString("utf8") };
  } catch (error) {
    throw ending.signal.aborted ? ending.signal.reason : explain(program, error);
  } finally {
    clearTimeout(timer);
  }
}

/** The exit code, or what went wrong; either only when the process is gone. */
function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    let failure: Error | null = null;
    child.once("error", (error) => {
      failure = error;
      if (child.pid === undefined) reject(error);
    });
    child.once("close", (exitCode) => (failure === null ? resolve(exitCode) : reject(failure)));
  });
}

async function collect(output: Readable, maxBytes: number, onOverflow: () => void) {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of output as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else onOverflow();
  }
  return Buffer.concat(chunks);
}

function explain(program: string, error: unknown): unknown {
  const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
  if (!isMissing) return error;
  return new SwitchyardError("internal", `${program} could not be started: install it.`, {
    cause: error,
  });
}
