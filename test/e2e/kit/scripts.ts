import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const root = path.join(import.meta.dirname, "../../..");
export const noKeys = { ANTHROPIC_API_KEY: "", CLAUDE_API_KEY: "", GEMINI_API_KEY: "" };

type Ended = { code: number; stdout: string; stderr: string };

/** Runs one of the scripts to its end, as npm would. */
export const script = async (
  name: string,
  args: string[],
  env: Record<string, string> = noKeys,
): Promise<Ended> => {
  try {
    const { stdout, stderr } = await run(
      process.execPath,
      ["--no-warnings", `scripts/${name}.ts`, ...args],
      {
        cwd: root,
        env: { ...process.env, ...env },
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
};
