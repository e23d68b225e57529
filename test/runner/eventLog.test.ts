import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { capEvent } from "../../apps/agent-runner/runs/capEvent.ts";
import { type EventLog, openEventLog as openLog } from "../../apps/agent-runner/runs/eventLog.ts";
import { readEvents } from "../../apps/agent-runner/runs/readEvents.ts";
import type { AgentEvent, NumberedEvent } from "../../shared/contracts/agentEvent.ts";
import { temporaryFolder } from "./kit/repositories.ts";

const thought = (text: string): AgentEvent => ({ type: "thinking", text });

const opened: EventLog[] = [];
afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
});

async function openEventLog(...input: Parameters<typeof openLog>): Promise<EventLog> {
  const log = await openLog(...input);
  opened.push(log);
  return log;
}

async function allOf(log: EventLog): Promise<NumberedEvent[]> {
  const events: NumberedEvent[] = [];
  for await (const event of readEvents(log)) events.push(event);
  return events;
}

describe("an event log", () => {
  it("numbers events from 1 without a gap, in the order they were given", async () => {
    const log = await openEventLog(join(temporaryFolder(), "events"), () => 7);

    await Promise.all(Array.from({ length: 500 }, (_, index) => log.append(thought(`${index}`))));

    const events = await allOf(log);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ event }) => event)).toEqual(events.map((_, index) => thought(`${index}`)));
  });

  it("shows an event only once it is on the disk", async () => {
    const path = join(temporaryFolder(), "events");
    const log = await openEventLog(path, () => 7);

    const written = log.append(thought("a"));
    const before = log.lastNumber();
    const onDisk = new Promise<string>((resolve) => {
      log.onMore(() => resolve(readFileSync(path, "utf8")));
    });
    await written;

    expect(before).toBe(0);
    expect(await onDisk).toBe('{"number":1,"atMs":7,"event":{"type":"thinking","text":"a"}}\n');
  });

  it("drops a torn last line and goes on with its number", async () => {
    const path = join(temporaryFolder(), "events");
    const first = await openEventLog(path, () => 7);
    await first.append(thought("a"));
    await first.close();
    opened.pop();
    appendFileSync(path, '{"number":2,"atMs":7,"ev');

    const again = await openEventLog(path, () => 8);
    await again.append(thought("b"));

    const events = await allOf(again);
    expect(events.map(({ number, event }) => [number, event])).toEqual([
      [1, thought("a")],
      [2, thought("b")],
    ]);
  });

  it("gives whole lines after a number, and at least one", async () => {
    const log = await openEventLog(join(temporaryFolder(), "events"), () => 7);
    for (const text of ["a", "b".repeat(500), "c"]) await log.append(thought(text));

    const first = await log.read(1, 100);
    const none = await log.read(3, 100);

    expect(first.last).toBe(2);
    expect(JSON.parse(first.lines.toString())).toMatchObject({ number: 2 });
    expect(none).toEqual({ lines: Buffer.alloc(0), last: 3 });
  });
});

describe("an event that is too large", () => {
  const bytesOf = (event: AgentEvent) => Buffer.byteLength(JSON.stringify(event));

  it("has its text cut between characters, and says so", () => {
    const event = capEvent(thought(`${"€".repeat(30_000)}`)) as { text: string };

    expect(event.text).toMatch(/^€+\n\[cut: \d+ bytes more\]$/);
    expect(Buffer.byteLength(event.text)).toBeLessThan(66_000);
  });

  it("stays below 256 KB whatever it is made of", () => {
    const many = Array.from({ length: 60_000 }, (_, index) => ({ [`field${index}`]: index }));
    const large = Object.fromEntries(
      many.map((_, index) => [`f${index}`, "x".repeat(9000)]).slice(0, 90),
    );
    for (const input of [many, large, "x".repeat(3_000_000)]) {
      const event = capEvent({ type: "tool_use", id: "1", name: "Write", input });
      expect(bytesOf(event)).toBeLessThanOrEqual(256 * 1024);
      expect(event).toMatchObject({ type: "tool_use", name: "Write" });
    }
  });
});
