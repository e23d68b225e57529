import { describe, expect, it } from "vitest";
import { d1Suite } from "../contracts/d1Suite.ts";
import { everyStoreSuite } from "../contracts/everyStoreSuite.ts";
import { openWithProject, reach } from "../contracts/storeWay.ts";
import { sqliteD1 } from "./sqliteD1.ts";
import { openSqlStores } from "./sqlStores.ts";

const database = sqliteD1();
const open = async () => openSqlStores(database.fresh());

everyStoreSuite("SQLite", open);

describe("SQLite in D1's place", () => {
  d1Suite(async () => database.fresh());
});

describe("a fresh database", () => {
  it("holds nothing of the one before, its audit trail included", async () => {
    const untouched = await (await open()).dump();
    await reach(await openWithProject(open), "completed");

    expect(await (await open()).dump()).toBe(untouched);
  });

  it("gives the same rows for the same history", async () => {
    const first = await openWithProject(open);
    await reach(first, "completed");
    const rows = await first.dump();

    const second = await openWithProject(open);
    await reach(second, "completed");

    expect(await second.dump()).toBe(rows);
  });

  it("is out of reach for who held the one before", async () => {
    const before = await openWithProject(open);

    await open();

    await expect(before.addOrganization("org_late")).rejects.toThrow("emptied");
  });
});
