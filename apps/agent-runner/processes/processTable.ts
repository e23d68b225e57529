import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import type { RunUser } from "./runUser.ts";

/** A live process. `startedAt` tells it from a later one that was given the same pid. */
export type ProcessRef = { pid: number; startedAt: string };

/** Those that carry what was looked for, and those that cannot tell yet because they are just being started. */
export type Survey = { marked: ProcessRef[]; unclear: ProcessRef[] };

/** Every live process whose environment, as it was at its start, holds all of these `NAME=value` entries. */
export const findMarked = (markers: readonly string[]): ProcessRef[] => survey(markers).marked;

/** A user that only runs have needs no marker: each of its processes counts, and none can be hidden. */
export function survey(markers: readonly string[], user: RunUser | null = null): Survey {
  if (process.platform !== "linux") return { marked: fromPs(markers), unclear: [] };
  const found: Survey = { marked: [], unclear: [] };
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const isOfUser = user !== null && hasUser(readOrNull(`/proc/${name}/status`), user);
    const kind = isOfUser ? "marked" : kindOf(readOrNull(`/proc/${name}/environ`), markers);
    const status = kind === null ? null : statusFromProc(Number(name));
    if (kind === null || status === null || status.isKernelThread) continue;
    found[kind].push({ pid: Number(name), startedAt: status.startedAt });
  }
  return found;
}

function kindOf(environment: string | null, markers: readonly string[]): keyof Survey | null {
  if (environment === "") return "unclear";
  const entries = `\0${environment}`;
  return markers.every((marker) => entries.includes(`\0${marker}\0`)) ? "marked" : null;
}

/** Whether it is any of its four user ids: real, effective, saved, of the file system. */
const hasUser = (status: string | null, { uid }: RunUser): boolean =>
  (/^Uid:\t(.*)$/m.exec(status ?? "")?.[1] ?? "").split("\t").includes(String(uid));

/** When a live process started, in the platform's own words; null = there is no such live process. */
export function startOf(pid: number): string | null {
  if (process.platform !== "linux") return startFromPs(pid);
  return statusFromProc(pid)?.startedAt ?? null;
}

const kernelThreadFlag = 0x0020_0000;

/** Fields 3, 9 and 22 of proc(5) stat. The command name before them is in parentheses and may hold anything. */
function statusFromProc(pid: number): { startedAt: string; isKernelThread: boolean } | null {
  const stat = readOrNull(`/proc/${pid}/stat`) ?? "";
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  const startedAt = fields[19];
  if (startedAt === undefined || state === "Z" || state === "X") return null;
  return { startedAt, isKernelThread: (Number(fields[6]) & kernelThreadFlag) !== 0 };
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}

const psLine = /^\s*(\d+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/;

const fromPs = (markers: readonly string[]): ProcessRef[] =>
  parsePs(ps(["-axww", "-E", "-o", "pid=,lstart=,command="]), markers);

/** Lines of pid, start and command, the environment after the command. */
export function parsePs(table: string, markers: readonly string[]): ProcessRef[] {
  return table.split("\n").flatMap((line) => {
    const [, pid, startedAt, rest] = psLine.exec(line) ?? [];
    if (pid === undefined || startedAt === undefined) return [];
    const words = ` ${rest} `;
    return markers.every((marker) => words.includes(` ${marker} `))
      ? [{ pid: Number(pid), startedAt }]
      : [];
  });
}

function startFromPs(pid: number): string | null {
  const line = ps(["-o", "pid=,lstart=,command=", "-p", String(pid)]);
  return psLine.exec(line.trimEnd())?.[2] ?? null;
}

function ps(args: string[]): string {
  try {
    return execFileSync("ps", args, { encoding: "latin1", maxBuffer: 64 * 1024 * 1024 });
  } catch {
    return "";
  }
}
