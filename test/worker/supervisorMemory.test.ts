import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe } from "vitest";
import { supervisorSql } from "../../orchestrator/worker/durable/supervisorSql.ts";
import { supervisorMemorySuite } from "../contracts/supervisorMemorySuite.ts";

describe("a supervisor's memory in the SQLite of its Durable Object", () => {
  supervisorMemorySuite(async (work) => {
    const object = env.SUPERVISOR.getByName(`memory/${crypto.randomUUID()}`);
    await runInDurableObject(object, async (_object, { storage }) => {
      let nowMs = 0;
      let changes = 0;
      const memory = supervisorSql(
        storage,
        () => nowMs,
        () => {
          changes += 1;
        },
      );
      await work({
        memory,
        wakeAtMs: () => storage.getAlarm(),
        setNow: (atMs) => {
          nowMs = atMs;
        },
        timesChanged: () => changes,
      });
      await storage.deleteAlarm();
    });
  });
});
