import { describe, expect, it } from "vitest";
import { anAttempt } from "../builders.ts";
import { supervisorMemorySuite } from "../contracts/supervisorMemorySuite.ts";
import { memorySupervisor } from "../fakes/memorySupervisor.ts";

describe("a supervisor's memory without SQLite", () => {
  supervisorMemorySuite(async (work) => {
    let nowMs = 0;
    let changes = 0;
    const memory = memorySupervisor(
      () => nowMs,
      () => {
        changes += 1;
      },
    );
    await work({
      memory,
      wakeAtMs: async () => memory.wakeAtMs(),
      setNow: (atMs) => {
        nowMs = atMs;
      },
      timesChanged: () => changes,
    });
  });

  it("goes back to a snapshot, as often as it is asked, whatever came after", async () => {
    const memory = memorySupervisor(() => 1);
    const event = (text: string) => [{ atMs: 1, event: { type: "thinking" as const, text } }];
    memory.save(anAttempt({ phase: "gate" }));
    memory.append(1, "agent", 1, event("kept"));
    await memory.setWakeAt(7);
    const snapshot = memory.snapshot();

    for (const lost of ["one", "other"]) {
      memory.save(anAttempt({ phase: "done" }));
      memory.append(1, "agent", 2, event(lost));
      if (lost === "other") await memory.forgetAll();
      memory.restore(snapshot);

      expect(memory.attempts()).toMatchObject([{ phase: "gate" }]);
      expect(memory.read({ fence: 0, number: 0 }, 9)).toMatchObject([{ event: { text: "kept" } }]);
      expect(memory.wakeAtMs()).toBe(7);
    }
  });
});
