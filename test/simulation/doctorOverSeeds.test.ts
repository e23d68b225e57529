import type { D1Database } from "@cloudflare/workers-types";
import { drizzle } from "drizzle-orm/d1";
import { beforeAll, describe, expect, it } from "vitest";
import { d1DoctorStore } from "../../orchestrator/worker/database/doctorStore.ts";
import type { DoctorFinding } from "../../orchestrator/worker/domain/ports/doctorStore.ts";
import { openSql } from "./openSql.ts";
import { playSeed, prepareProcess } from "./playSeed.ts";
import { sqliteD1 } from "./sqliteD1.ts";
import { organizations } from "./world/people.ts";

const seeds = Array.from({ length: 10 }, (_, at) => 1_000 + at);
const copies = sqliteD1();

/** The moment after which nothing of a history waits any more. */
const afterAllMs = 100 * 60 * 60_000;

beforeAll(prepareProcess);

describe("the doctor over simulated histories on the real SQL", () => {
  it.each(seeds)("finds nothing in the middle of seed %i, and nothing after it", async (seed) => {
    const moments: string[] = [];
    let looks = 0;
    let dump = async () => "[]";

    await playSeed(seed, {
      openStores: (ids) => {
        const stores = openSql(ids);
        dump = stores.dump;
        const view = async () => {
          looks += 1;
          if (looks % 10 === 0) moments.push(await stores.dump());
          return stores.view();
        };
        return { ...stores, view };
      },
    });

    expect(moments.length).toBeGreaterThan(3);
    // What depends on the time is judged at the end; at time 0 nothing is late.
    for (const moment of moments) expect(await examine(moment, 0)).toEqual([]);
    expect(await examine(await dump(), afterAllMs)).toEqual([]);
  });
});

/** Examines every organization of a dumped database. */
async function examine(dump: string, nowMs: number): Promise<DoctorFinding[]> {
  const d1 = copies.fresh();
  await restore(d1, JSON.parse(dump) as Table[]);
  const doctor = d1DoctorStore(drizzle(d1));
  const found: DoctorFinding[] = [];
  for (const organization of organizations)
    found.push(...(await doctor.examine(organization, nowMs)).findings);
  return found;
}

type Table = [name: string, rows: Record<string, string | number | null>[]];

async function restore(d1: D1Database, tables: Table[]): Promise<void> {
  // Tables come by name, and so before those that they refer to.
  await d1.prepare("pragma defer_foreign_keys = on").run();
  for (const [name, rows] of tables)
    for (const row of rows) {
      const columns = Object.keys(row);
      const places = columns.map(() => "?").join(", ");
      const values = Object.values(row);
      await d1
        .prepare(`insert into "${name}" (${columns.join(", ")}) values (${places})`)
        .bind(...values)
        .run();
    }
}
