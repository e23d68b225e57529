import { integer, text } from "drizzle-orm/sqlite-core";

/**
 * How every table of D1 is made: the organization leads every key, so that no query can leave it out; keys are
 * text and tables WITHOUT ROWID (one row written instead of two); times are integer ms UTC, money micro-dollars.
 */
export const json = <T>(name: string) => text(name, { mode: "json" }).$type<T>();
export const atMs = (name: string) => integer(name);
