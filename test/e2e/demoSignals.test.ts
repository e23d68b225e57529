import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { noKeys, root } from "./kit/scripts.ts";

describe("a demo that is ended before its time", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "by %s exits with %i and leaves no folder, though nobody reads it",
    async (signal, code) => {
      const temporary = mkdtempSync(path.join(os.tmpdir(), "switchyard-signals-"));
      onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
      const left = () =>
        readdirSync(temporary).filter((name) => name.startsWith("switchyard-demo-"));
      const demo = spawn(process.execPath, ["--no-warnings", "scripts/demo.ts"], {
        cwd: root,
        env: { ...process.env, ...noKeys, TMPDIR: temporary },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const ended = once(demo, "exit");
      const secrets = () =>
        left().some((name) => existsSync(path.join(temporary, name, "state/.dev.vars")));
      while (!secrets()) await new Promise((resolve) => setTimeout(resolve, 20));

      demo.stdout.destroy();
      demo.stderr.destroy();
      demo.kill(signal);

      expect(await ended).toEqual([code, null]);
      expect(left()).toEqual([]);
    },
  );
});
