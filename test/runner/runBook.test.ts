import { readdirSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunKind } from "../../apps/agent-runner/runs/liveRun.ts";
import { openRunBook } from "../../apps/agent-runner/runs/runBook.ts";
import { temporaryFolder } from "./kit/repositories.ts";

type Work = RunKind<string, string>["work"];

/** A book of runs that do what they are told, of which two are kept. */
async function openBook(work: Work, root = temporaryFolder("book")) {
  const finished: string[] = [];
  const kind: RunKind<string, string> = {
    keep: 2,
    about: (request) => ({ request }),
    work,
    failed: (_, error) => `failed: ${error}`,
    interrupted: async ({ about, events }) => {
      const types: string[] = [];
      for await (const { event } of events) types.push(event.type);
      return `interrupted ${about.request}: ${types.join()}`;
    },
    finished: (id) => void finished.push(id),
  };
  const book = await openRunBook({ root, nowMs: () => 1, log: () => {}, boot: "boot_1" }, kind);
  onTestFinished(async () => {
    await book.shutDown();
    await book.close();
  });
  return { book, root, finished };
}

/** Starts a run and waits for its end. */
async function through({ book }: Awaited<ReturnType<typeof openBook>>, id: string) {
  await book.put(id, 1, "x");
  await new Promise<void>((resolve) => {
    const { isFinished, onChange } = book.events(id);
    const look = () => isFinished() && resolve();
    onChange(look);
    look();
  });
  return book.result(id);
}

const untilStopped: Work = ({ stopSwitch }) =>
  new Promise((resolve) => {
    stopSwitch.signal.addEventListener("abort", () => resolve(`stopped by ${stopSwitch.reason()}`));
  });

describe("a book of runs", () => {
  it("keeps the last ones and forgets those before, on the disk too", async () => {
    const opened = await openBook(async () => "done");

    for (const id of ["a", "b", "c", "d"]) await through(opened, id);
    await opened.book.shutDown();
    const again = await openBook(async () => "done", opened.root);

    expect(readdirSync(opened.root).sort()).toEqual(["c", "d"]);
    expect(() => opened.book.status("b")).toThrow("no run b");
    expect(again.book.status("c").state).toBe("finished");
    expect(opened.finished).toEqual(["a", "b", "c", "d"]);
  });

  it("starts no run that was meant for an earlier start of the runner, and knows its own", async () => {
    const { book } = await openBook(async () => "done");

    await expect(book.put("a", 1, "x", "boot_0")).rejects.toMatchObject({
      code: "runner_unreachable",
    });
    expect(() => book.status("a")).toThrow("no run a");
    await book.put("a", 1, "x", "boot_1");

    expect((await book.put("a", 1, "x", "boot_0")).id).toBe("a");
  });

  it("reports work that broke, and goes on to the next", async () => {
    const opened = await openBook(async ({ id }) => {
      if (id === "a") throw new Error("broken");
      return "done";
    });

    expect(await through(opened, "a")).toMatchObject({ report: "failed: Error: broken" });
    expect(await through(opened, "b")).toMatchObject({ report: "done" });
  });

  it("gives a run the end that it never came to, from the events that are there", async () => {
    const first = await openBook(async (run) => {
      await run.log.append({ type: "thinking", text: "" });
      return untilStopped(run, "");
    });
    await first.book.put("a", 4, "this");
    const { log, onChange } = first.book.events("a");
    await new Promise<void>((resolve) => void onChange(() => log.lastNumber() > 0 && resolve()));

    const { book } = await openBook(async () => "done", first.root);

    expect(await book.result("a")).toEqual({
      id: "a",
      fence: 4,
      state: "finished",
      lastEvent: 2,
      report: "interrupted this: thinking,interrupted",
    });
  });

  it("starts a run once, however many ask for it at once", async () => {
    let started = 0;
    const { book } = await openBook((run) => {
      started += 1;
      return untilStopped(run, "");
    });

    const statuses = await Promise.all(["a", "a", "a"].map((id) => book.put(id, 1, "x")));

    expect(statuses.map(({ id, state }) => [id, state])).toEqual(Array(3).fill(["a", "live"]));
    expect(started).toBe(1);
  });

  it("does not start a run whose cancel came first", async () => {
    const { book } = await openBook(async () => "done");

    expect(() => book.cancel("run-1", 1, "cancel")).toThrow("no run run-1");

    await expect(book.put("run-1", 1, "x")).rejects.toMatchObject({ code: "stale_fence" });
    expect(book.live()).toBeNull();
  });

  it("does not begin a run whose cancel comes while it is being started, and goes on to the next", async () => {
    const { book, root } = await openBook(async () => "done");

    const starting = book.put("run-1", 1, "x");
    while (book.live() === null) await Promise.resolve();
    expect(() => book.cancel("run-1", 1, "cancel")).toThrow("no run run-1");

    await expect(starting).rejects.toMatchObject({ code: "stale_fence" });
    await expect(book.put("run-1", 2, "x")).rejects.toMatchObject({ code: "stale_fence" });
    expect(readdirSync(root)).toEqual([]);
    expect((await book.put("run-2", 1, "x")).id).toBe("run-2");
  });

  it("that is ending stops its run and takes no other", async () => {
    const { book } = await openBook(untilStopped);
    await book.put("a", 1, "x");

    const ending = book.shutDown();

    await expect(book.put("b", 1, "x")).rejects.toMatchObject({ code: "runner_unreachable" });
    await ending;
    expect(await book.result("a")).toMatchObject({ report: "stopped by shutdown" });
  });
});
