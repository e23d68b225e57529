/**
 * A small program between the runner and one command. It starts the command in a process group of its own and
 * ends it, with everything that carries the same markers, as soon as the runner is gone: a killed runner closes
 * descriptor 3, and nothing else needs to work for that.
 */
import { spawn } from "node:child_process";
import { Socket } from "node:net";
import {
  createMessageReader,
  type GuardOrder,
  type GuardReport,
  type GuardSignal,
} from "./guardMessages.ts";
import { endMarked, killGroup } from "./reaper.ts";

const channel = new Socket({ fd: 3, readable: true, writable: true });
let order: GuardOrder | null = null;
let groupLeader: number | undefined;
let isEnding = false;

channel.setEncoding("utf8");
channel.on("data", createMessageReader<GuardOrder | GuardSignal>(receive));
channel.on("error", () => {});
channel.on("close", () => void endEverything());
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(name, () => void endEverything());

function receive(message: GuardOrder | GuardSignal): void {
  if ("argv" in message) start(message);
  else if (groupLeader !== undefined && !isEnding) killGroup(groupLeader, message.signal);
}

function start(received: GuardOrder): void {
  order = received;
  const [program = "", ...args] = received.argv;
  const child = spawn(program, args, {
    cwd: received.cwd,
    env: received.env,
    stdio: [0, 1, 2],
    detached: true,
    ...received.user,
  });
  groupLeader = child.pid;
  child.on("spawn", () => report({ kind: "started", pid: child.pid ?? 0 }));
  child.on("error", (error) => {
    report({ kind: "not_started", message: error.message });
    void endEverything();
  });
  child.on("exit", (exitCode, signal) => {
    report({ kind: "exited", exitCode, signal });
    void endEverything();
  });
}

function report(message: GuardReport): void {
  if (channel.writable) channel.write(`${JSON.stringify(message)}\n`);
}

async function endEverything(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  if (groupLeader !== undefined) killGroup(groupLeader);
  if (order !== null) await endMarked(order.markers, { spare: [process.pid], user: order.user });
  channel.end(() => process.exit(0));
  if (channel.destroyed) process.exit(0);
}
