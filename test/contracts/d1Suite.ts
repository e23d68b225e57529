import type { D1Database } from "@cloudflare/workers-types";
import { beforeEach, expect, it } from "vitest";

/** What the stores rely on in D1, whatever stands in its place. The database is migrated and empty. */
export function d1Suite(open: () => Promise<D1Database>): void {
  let d1: D1Database;
  const addOrganization = (id: string) =>
    d1.prepare("insert into organizations values (?, ?, ?, 0)").bind(id, "name", 1);
  const addProject = (organizationId: string, id: string, name: string | null) =>
    d1
      .prepare("insert into projects values (?, ?, ?, '{}', '{}', 'user:ada', 1)")
      .bind(organizationId, id, name);
  const rename = (id: string) =>
    d1.prepare("update organizations set name = 'new' where id = ?").bind(id);
  const changed = () =>
    d1.prepare("select case changes() when 1 then 1 else json_extract('lost', '$') end as held");
  const ids = () => d1.prepare("select id from organizations order by id").raw();

  beforeEach(async () => {
    d1 = await open();
    await d1.batch([addOrganization("org_a"), addOrganization("org_b")]);
  });

  it("answers rows as objects, as arrays, and the first alone", async () => {
    const query = d1.prepare("select id, created_at_ms from organizations order by id");

    const row = { id: "org_a", created_at_ms: 1 };
    expect(await query.all()).toMatchObject({
      success: true,
      results: [row, { ...row, id: "org_b" }],
    });
    expect(await query.raw({ columnNames: true })).toEqual([
      ["id", "created_at_ms"],
      ["org_a", 1],
      ["org_b", 1],
    ]);
    expect(await query.first()).toEqual(row);
    expect(await query.first("id")).toBe("org_a");
    expect(await d1.prepare("select 1 from tasks").first()).toBeNull();
  });

  it("keeps two columns of one name apart in arrays, and the last in objects", async () => {
    const query = d1.prepare("select 1 as a, 2 as b, 3 as a");

    expect(await query.raw()).toEqual([[1, 2, 3]]);
    expect((await query.all()).results).toEqual([{ a: 3, b: 2 }]);
  });

  it("tells how many rows a statement changed", async () => {
    const results = await d1.batch([
      d1.prepare("update organizations set name = 'new'"),
      d1.prepare("select * from organizations"),
      rename("org_none"),
      d1.prepare("update organizations set name = 'newer' where id = 'org_a' returning id"),
    ]);

    expect(results.map(({ meta }) => meta.changes)).toEqual([2, 0, 0, 1]);
    expect(results.map((result) => result.results.length)).toEqual([0, 2, 0, 1]);
  });

  it("knows in a batch what the statement before has changed", async () => {
    const [, held] = await d1.batch([rename("org_a"), changed()]);

    expect(held?.results).toEqual([{ held: 1 }]);
  });

  it("keeps nothing of a batch of which one statement fails", async () => {
    const batch = d1.batch([addOrganization("org_c"), rename("org_none"), changed()]);

    await expect(batch).rejects.toThrow("D1_ERROR: malformed JSON: SQLITE_ERROR");
    expect(await ids()).toEqual([["org_a"], ["org_b"]]);
  });

  const constraint = (kind: string) =>
    `SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_${kind.replace(" ", "")})`;
  it.each([
    ["a key twice", "UNIQUE", "PRIMARYKEY", () => addOrganization("org_a")],
    ["a parent that is missing", "FOREIGN KEY", "FOREIGNKEY", () => addProject("org_c", "p", "n")],
    ["a null where none may be", "NOT NULL", "NOTNULL", () => addProject("org_a", "p", null)],
  ])("refuses %s", async (_, words, kind, statement) => {
    await expect(statement().run()).rejects.toThrow(`D1_ERROR: ${words} constraint failed`);
    await expect(statement().run()).rejects.toThrow(constraint(kind));
  });

  it("names the columns of a key that was there", async () => {
    await addProject("org_a", "proj_1", "sample").run();

    await expect(addProject("org_a", "proj_2", "sample").run()).rejects.toThrow(
      "D1_ERROR: UNIQUE constraint failed: projects.organization_id, projects.name: " +
        constraint("UNIQUE"),
    );
  });

  it("tells a fault of the SQL when it runs, not when it is prepared", async () => {
    const statement = d1.prepare("select * from no_table");

    await expect(statement.all()).rejects.toThrow(
      "D1_ERROR: no such table: no_table: SQLITE_ERROR",
    );
  });

  it("binds text, numbers, truth and null, and refuses what JSON would lose", async () => {
    const query = d1.prepare("select ?, ?, ?, ?");

    expect(await query.bind("a", 1.5, true, null).raw()).toEqual([["a", 1.5, 1, null]]);
    expect(() => query.bind(undefined)).toThrow("D1_TYPE_ERROR: Type 'undefined' not supported");
  });
}
