import { env } from "cloudflare:workers";
import { afterEach, describe } from "vitest";
import { d1Suite } from "../contracts/d1Suite.ts";

const empty = () =>
  env.DB.batch([
    env.DB.prepare("delete from projects"),
    env.DB.prepare("delete from organizations"),
  ]);

afterEach(empty);

describe("D1", () => {
  d1Suite(async () => {
    await empty();
    return env.DB;
  });
});
