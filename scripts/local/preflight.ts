import { spawnSync } from "node:child_process";
import { whyNoDocker } from "./containerImage.ts";

type Need = {
  program: string;
  args: string[];
  atLeast: [number, number];
  why: string;
};

const needs: Need[] = [
  { program: "git", args: ["--version"], atLeast: [2, 31], why: "reads and writes repositories" },
  {
    program: "python3",
    args: ["--version"],
    atLeast: [3, 9],
    why: "runs the Patch Manager, which applies every patch",
  },
];

/** What this machine lacks, each with what to do about it. */
export function missingPrograms(): string[] {
  return needs.flatMap(({ program, args, atLeast, why }) => {
    const { stdout, error } = spawnSync(program, args, { encoding: "utf8" });
    const wanted = `${program} ${atLeast.join(".")} or newer (it ${why})`;
    if (error !== undefined) return [`${wanted} is not installed`];
    const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).slice(1).map(Number);
    const enough = major > atLeast[0] || (major === atLeast[0] && minor >= atLeast[1]);
    return enough ? [] : [`${wanted} is needed, this machine has ${stdout.trim()}`];
  });
}

export async function requireDocker(): Promise<void> {
  const reason = await whyNoDocker();
  if (reason !== null)
    throw new Error(
      `--containers needs Docker: ${reason}. Start it, or leave --containers away: agents are then processes of this machine.`,
    );
}

export function requirePrograms(): void {
  const missing = missingPrograms();
  if (missing.length > 0)
    throw new Error(`This machine cannot run Switchyard yet:\n  ${missing.join("\n  ")}`);
}
