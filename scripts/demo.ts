/** `npm run demo`: one real task, end to end, on this machine. See `npm run demo -- --help`. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type DemoOptions, readOptions, usage } from "./demo/options.ts";
import { report, succeeded, summary } from "./demo/report.ts";
import { type DemoLife, type DemoScreen, runDemo } from "./demo/run.ts";
import { requireDocker, requirePrograms } from "./local/preflight.ts";
import { outliveReader } from "./terminal/outliveReader.ts";
import { painter } from "./terminal/style.ts";
import { messageOf, UsageError } from "./terminal/usageError.ts";

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === "help") {
      console.log(usage);
      return 0;
    }
    requirePrograms();
    if (options.containers) await requireDocker();
    return await play(options);
  } catch (error) {
    console.error(`demo: ${messageOf(error)}${error instanceof UsageError ? `\n\n${usage}` : ""}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function play(options: DemoOptions): Promise<number> {
  const out = options.json ? process.stderr : process.stdout;
  const screen: DemoScreen = {
    out,
    paint: painter(out),
    say: (text) => out.write(`${text}\n`),
  };
  const folder = await mkdtemp(path.join(os.tmpdir(), "switchyard-demo-"));
  const cancelling = new AbortController();
  const life: DemoLife = { endings: [], cancelled: cancelling.signal };
  const end = endOnce(options, folder, life, screen);
  outliveReader();
  let signalled: number | null = null;
  for (const [name, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)
    process.once(name, () => {
      signalled = code;
      cancelling.abort(new Error(`ended by ${name}`));
      void end().then(() => process.exit(code));
    });
  try {
    introduce(options, screen);
    const outcome = await runDemo(options, folder, screen, life);
    await report(options, outcome, screen);
    if (options.json) process.stdout.write(`${JSON.stringify(summary(options, outcome))}\n`);
    return succeeded(outcome) ? 0 : 1;
  } catch (error) {
    if (signalled !== null) return signalled;
    throw error;
  } finally {
    await end();
  }
}

function introduce(options: DemoOptions, { paint, say }: DemoScreen): void {
  say(paint("bold", "Switchyard: one task from an HTTP request to a verified commit\n"));
  if (options.model === "live") {
    say(`The agent is the real ${options.agent}; it talks to its real model, with your key.`);
  } else {
    say(
      `The agent is the real ${options.agent} from npm. The model is not: without an API key it talks to a`,
    );
    say(
      "script on this machine that always gives the same answers. All else is real: the worker in workerd,",
    );
    say("D1, the queue, the agent's tools, git, the patch, the tests, the commit.");
  }
  say("");
}

/** Ends everything that was started, whichever way the demo ends, and only once. */
function endOnce(options: DemoOptions, folder: string, { endings }: DemoLife, screen: DemoScreen) {
  let ending: Promise<void> | null = null;
  return () => {
    ending ??= (async () => {
      for (const stop of endings.splice(0).reverse())
        await stop().catch((error: Error) => screen.say(`  (${error.message})`));
      if (options.keep) screen.say(`\nKept: ${folder}`);
      else await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    })();
    return ending;
  };
}
