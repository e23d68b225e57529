import { env } from "cloudflare:workers";
import { compose } from "../../orchestrator/worker/compose.ts";

/** The arguments of one call, by store and method. */
type StoreCalls = Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;

/** Every step of every query's plan. */
export async function collectPlans(
  calls: StoreCalls,
): Promise<{ detail: string; query: string }[]> {
  const steps: { detail: string; query: string }[] = [];
  for (const query of await collectQueries(calls)) {
    const places = query.match(/\?/g)?.length ?? 0;
    const plan = await env.DB.prepare(`explain query plan ${query}`)
      .bind(...Array(places).fill(null))
      .all<{ detail: string }>();
    for (const { detail } of plan.results) steps.push({ detail, query });
  }
  return steps;
}

/** Runs every method against a database that writes down what it is asked. */
async function collectQueries(calls: StoreCalls): Promise<Set<string>> {
  const queries = new Set<string>();
  const DB = new Proxy(env.DB, {
    get(target, name) {
      if (name === "prepare")
        return (query: string) => {
          queries.add(query);
          return target.prepare(query);
        };
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const stores = compose({ ...env, DB } as unknown as WorkerEnv);
  await env.DB.prepare("insert or ignore into organizations values ('org_a', 'a', 1, 0)").run();
  for (const [store, methods] of Object.entries(calls))
    for (const [method, input] of Object.entries(methods)) {
      const call = Reflect.get(
        Reflect.get(stores, store) as object,
        method,
      ) as () => Promise<unknown>;
      await Reflect.apply(call, undefined, input as []).catch(
        () => "a fault of the data, not the query",
      );
    }
  return queries;
}
