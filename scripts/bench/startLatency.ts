import path from "node:path";
import { createTestHarness } from "wrangler";
import { FakeRunner } from "../../test/fakes/fakeRunner.ts";
import { serveRunner } from "../../test/fakes/serveRunner.ts";

export type Latency = { samples: number; medianMs: number; p95Ms: number; maxMs: number };

const tasks = 60;
const warmUp = 5;
const projectRoot = path.join(import.meta.dirname, "../..");

/**
 * From the moment an HTTP answer says "accepted" to the moment the runner is asked to start the agent: queue,
 * routing, claim, supervisor and gate, in real workerd with real D1. The runner is a fake on this machine, so its
 * own time is not in it; one task at a time.
 */
export async function measureStartLatency(): Promise<{ accept: Latency; start: Latency }> {
  const { runner, close } = await serveRunner((url) => new FakeRunner(url, "bench-token"));
  const server = createTestHarness({
    root: projectRoot,
    workers: [
      {
        configPath: "wrangler.jsonc",
        vars: {
          LOCAL_MODE: "1",
          LOCAL_ROOTS: '["/repos"]',
          RUNNER_URL: runner.url,
          PATCH_RUNNER_URL: runner.url,
          HEARTBEAT_SECONDS: "1",
        },
        secrets: {
          RUNNER_TOKEN: "bench-token",
          PATCH_RUNNER_TOKEN: "bench-token",
          GEMINI_API_KEY: "bench-key",
        },
      },
    ],
  });
  try {
    await server.listen();
    const call = await prepare(server);
    const accept: number[] = [];
    const start: number[] = [];
    for (let n = 0; n < warmUp + tasks; n += 1) {
      const asked = Promise.withResolvers<number>();
      runner.onRun = (run) => {
        asked.resolve(performance.now());
        run.finish({ patch: null });
      };
      const sentAt = performance.now();
      const id = await call.submit();
      const acceptedAt = performance.now();
      const startedAt = await asked.promise;
      await call.untilFinal(id);
      if (n < warmUp) continue;
      accept.push(acceptedAt - sentAt);
      start.push(Math.max(0, startedAt - acceptedAt));
    }
    return { accept: latency(accept), start: latency(start) };
  } finally {
    await server.close();
    close();
  }
}

type Server = ReturnType<typeof createTestHarness>;
type Database = {
  prepare(query: string): { bind(...values: unknown[]): { run(): Promise<unknown> } };
};

async function prepare(server: Server) {
  const worker = server.getWorker("switchyard");
  await worker.applyD1Migrations("DB");
  const { DB } = (await worker.getEnv()) as { DB: Database };
  const token = `swy_${"b".repeat(43)}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  const sha256 = Buffer.from(digest).toString("hex");
  await DB.prepare("insert into organizations values (?, 'bench', 1, 0)").bind("org_bench").run();
  await DB.prepare("insert into principals values (?, 'user:bench', 1)").bind("org_bench").run();
  await DB.prepare(
    "insert into api_tokens values (?, 'tok_1', 'user:bench', 'admin', ?, 1, null, null)",
  )
    .bind("org_bench", sha256)
    .run();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const post = async (at: string, body: object) =>
    (await (
      await server.fetch(`https://bench.test/api/v1${at}`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      })
    ).json()) as { id: string };
  const source = { kind: "local", path: "/repos/bench" };
  const { id: projectId } = await post("/projects", { name: "bench", source });
  return {
    submit: async () =>
      (await post("/tasks", { projectId, prompt: "Measure.", provider: "gemini" })).id,
    async untilFinal(id: string) {
      for (;;) {
        const answer = await server.fetch(`https://bench.test/api/v1/tasks/${id}`, { headers });
        const { status } = (await answer.json()) as { status: string };
        if (status === "completed") return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

function latency(samples: number[]): Latency {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { samples: sorted.length, medianMs: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}
