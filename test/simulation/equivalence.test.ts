import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type GuardName, switchOff } from "../../orchestrator/worker/domain/guards.ts";
import type { Task } from "../../orchestrator/worker/domain/task.ts";
import { SwitchyardError } from "../../shared/errors.ts";
import { aLogEntry, aProject } from "../builders.ts";
import type { Stores } from "../contracts/storeWay.ts";
import { type Tables, taskKey } from "./memory/tables.ts";
import { memoryStores } from "./memoryStores.ts";
import { sqliteD1 } from "./sqliteD1.ts";
import { countedIds, openSqlStores } from "./sqlStores.ts";
import { nextOps, type OpName, ops } from "./storeOps.ts";
import { askEverything } from "./storeQuestions.ts";
import { rowsOfMemory, rowsOfSql } from "./storeRows.ts";
import { actors, type Scene } from "./storeScene.ts";

const database = sqliteD1();

/** The guards that are conditions of the stores. An index of the schema is none of them. */
const storeGuards: GuardName[] = [
  "idempotency_key",
  "claim_once",
  "claim_cap_all",
  "claim_cap_provider",
  "claim_cap_organization",
  "claim_cap_project",
  "order_in_turn",
  "gate_once",
  "gate_not_cancelled",
  "settle_once",
  "settle_not_cancelled",
  "verify_not_cancelled",
  "deliver_once",
  "end_patch_once",
  "approval_binds",
  "unpark_when_due",
  "answer_once",
  "cancel_child",
  "replay_once",
];

type Step = {
  op: OpName | "next" | "ask";
  actor: number;
  drift: number;
  laterMs: number;
  n: number;
};
const anOp = fc.constantFrom(...(Object.keys(ops) as OpName[]));
const steps = fc.array(
  fc.record<Step>({
    op: fc.oneof(
      { weight: 18, arbitrary: fc.constant("next" as const) },
      { weight: 1, arbitrary: fc.constant("ask" as const) },
      { weight: 7, arbitrary: anOp },
    ),
    // The first one gets far, its child and the others get in its way.
    actor: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 4, 5),
    drift: fc.constantFrom(...Array<number>(14).fill(0), -1, 1),
    laterMs: fc.constantFrom(1, 1, 10, 500, 50_000),
    n: fc.nat(200),
  }),
  { minLength: 30, maxLength: 70, size: "max" },
);

/** What has answered `done`: a sequence in which everything is lost proves nothing. */
const wentThrough = new Set<string>();

describe("the stores in memory and in SQLite", () => {
  beforeAll(() => {
    vi.stubGlobal("SIMULATION", true);
  });
  afterEach(() => switchOff([]));
  afterAll(() => {
    vi.unstubAllGlobals();
  });

  it("give the same answers and hold the same rows", async () => {
    await fc.assert(fc.asyncProperty(steps, compare), { numRuns: 400 });

    expect(Object.keys(ops).filter((name) => !wentThrough.has(name))).toEqual([]);
  }, 240_000);

  it("do so whichever guards are taken away", async () => {
    const taken = fc.subarray(storeGuards, { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(taken, steps, async (guards, sequence) => {
        switchOff(guards);
        await compare(sequence);
      }),
      { numRuns: 100 },
    );
  }, 240_000);
});

async function compare(sequence: readonly Step[]): Promise<void> {
  const d1 = database.fresh();
  const [memory, sql] = [memoryStores(countedIds()), openSqlStores(d1)];
  for (const stores of [memory, sql]) await furnish(stores);
  let nowMs = 10_000;
  for (const step of sequence) {
    nowMs += step.laterMs;
    const scene = sceneOf(memory.tables, step, nowMs);
    const name = step.op === "next" ? nextOf(scene, memory.tables) : step.op;
    const call = name === "ask" ? askEverything : ops[name];
    const before = memory.tables.version;

    const answer = await answerOf(call(memory, scene));

    expect(answer, name).toEqual(await answerOf(call(sql, scene)));
    if (memory.tables.version > before) wentThrough.add(name);
  }
  expect(rowsOfMemory(memory.tables)).toEqual(await rowsOfSql(d1));
}

async function furnish(stores: Stores): Promise<void> {
  for (const organizationId of ["org_a", "org_b"]) {
    await stores.addOrganization(organizationId);
    await stores.projects.create(aProject({ organizationId }), aLogEntry());
  }
  await stores.projects.create(aProject({ id: "proj_2", name: "second" }), aLogEntry());
}

function sceneOf(tables: Tables, { actor, drift, n }: Step, nowMs: number): Scene {
  const chosen = actors[actor] as Task;
  const isThere = tables.tasks.has(taskKey({ ...chosen, taskId: chosen.id }));
  const wanted = chosen.parentId === null || isThere ? chosen : (actors[0] as Task);
  const key = taskKey({ ...wanted, taskId: wanted.id });
  const task = tables.tasks.get(key)?.task ?? wanted;
  const ref = {
    organizationId: task.organizationId,
    taskId: task.id,
    fence: task.fence + drift,
  };
  const patchSetId = tables.index.patchSetsOf.get(key)?.at(-1)?.patch.id ?? "ps_none";
  return { task, ref, patch: { ...ref, patchSetId }, nowMs, n };
}

function nextOf({ task, ref, n }: Scene, tables: Tables): OpName {
  if (!tables.tasks.has(taskKey(ref))) return "accept";
  const names = nextOps[task.status];
  return names[n % names.length] ?? names[0];
}

/** An error is an answer too: by its code, as the callers see it. */
async function answerOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return { answer: await call };
  } catch (error) {
    if (!(error instanceof SwitchyardError)) throw error;
    return { error: error.code };
  }
}
