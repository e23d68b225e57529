import type { z } from "zod";
import { agentPins } from "../../shared/agentPins.ts";
import { type ForgeFile, readFilesRequestSchema } from "../../shared/contracts/forgeFiles.ts";
import {
  commitRequestSchema,
  goesOnRequestSchema,
  type MoveRefAnswer,
  moveRefRequestSchema,
  readRefRequestSchema,
} from "../../shared/contracts/forgeRefs.ts";
import {
  bootHeader,
  bundleHeaders,
  bundleRequestSchema,
  cancelRequestSchema,
  outputBytesHeader,
  patchRunRequestSchema,
  runRequestSchema,
} from "../../shared/contracts/runner.ts";
import type { Source } from "../../shared/contracts/source.ts";
import { type ErrorCode, errorTable } from "../../shared/errors.ts";
import { encodeBase64 } from "../../shared/patch/base64.ts";
import { encodeText } from "../../shared/patch/bytes.ts";
import { PatchControl, type Run, RunControl } from "./fakeRuns.ts";

/**
 * A runner in memory that speaks runner/1: it does what the test tells it. Use `fetch` in place of the network.
 * By default a run says three things and leaves a one-line patch, and every patch applies and passes.
 */
export class FakeRunner {
  readonly url: string;
  readonly token: string;
  readonly runs = new Map<string, Run>();
  readonly patches = new Map<string, Run>();
  readonly refs = new Map<string, string>();
  /** The files of commits, by commit and path. */
  readonly trees = new Map<string, Record<string, string>>();
  /** Of every commit, as often as it was asked for. */
  readonly messages: string[] = [];
  /** Every commit that was made here, with the one that it was made on. */
  readonly parents = new Map<string, string>();
  /** The bundles that were brought in, by name. */
  readonly bundles = new Map<string, string>();
  readonly requests: string[] = [];
  readonly #neverStart = new Set<string>();
  /** Which start of it this is; see `runner/1`. */
  boot = "boot_1";
  agents: Record<string, { version: string }> = { gemini: { version: agentPins.gemini } };
  /** What is done with a request before it is looked at: nothing, an error thrown, or another answer. */
  misbehave: (method: string, path: string) => Response | undefined = () => undefined;
  onRun: (run: RunControl) => void = (run) => run.finish();
  onPatch: (run: PatchControl) => void = (run) => run.finish();
  nowMs: () => number = Date.now;

  constructor(url = "http://runner.test", token = "runner-token") {
    this.url = url;
    this.token = token;
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname: path, searchParams: query } = new URL(request.url);
    this.requests.push(`${request.method} ${path}`);
    const odd = this.misbehave(request.method, path);
    if (odd !== undefined) return odd;
    if (request.headers.get("authorization") !== `Bearer ${this.token}`)
      return refuse("unauthenticated", "wrong token");
    if (path.startsWith("/bundles/")) return this.#keepBundle(path, await request.arrayBuffer());
    const body: unknown = request.method === "GET" ? undefined : await request.json();
    const [, kind, id = "", action] = path.split("/").map(decodeURIComponent);
    if (path === "/health") return this.#health();
    if (kind === "forge") return this.#forge(id, body);
    if (kind !== "runs" && kind !== "patches") return refuse("route_not_found", "no such route");
    if (request.method === "PUT") return this.#put(kind, id, body, request.headers.get(bootHeader));
    const run = (kind === "runs" ? this.runs : this.patches).get(id);
    if (run === undefined && action === "cancel") this.#neverStart.add(id);
    return this.#ofRun(run, action, query, body);
  }

  #ofRun(
    run: Run | undefined,
    action: string | undefined,
    query: URLSearchParams,
    body: unknown,
  ): Response {
    if (run === undefined) return refuse("run_not_found", "there is no such run");
    if (action === "events") return this.#events(run, query);
    if (action === "result") return answer({ ...status(run), report: run.report });
    if (action === "output") return outputOf(run, Number(query.get("command")));
    if (action === "cancel") return this.#cancel(run, body);
    return refuse("route_not_found", "no such route");
  }

  #health(): Response {
    const live = [...this.runs.values()].find((run) => run.report === null);
    return answer({
      protocols: ["runner/1"],
      role: "agents",
      agents: this.agents,
      live: live?.id ?? null,
      boot: this.boot,
    });
  }

  #put(kind: "runs" | "patches", id: string, body: unknown, boot: string | null): Response {
    const schema = kind === "runs" ? runRequestSchema : patchRunRequestSchema;
    const request = schema.parse(body);
    const all: Map<string, Run> = kind === "runs" ? this.runs : this.patches;
    const known = all.get(id);
    if (known !== undefined)
      return request.fence < known.fence
        ? refuse("stale_fence", "a higher fence is known")
        : answer(status(known));
    if (this.#neverStart.has(id)) return refuse("stale_fence", "it was cancelled before its start");
    if (boot !== null && boot !== this.boot)
      return refuse("runner_unreachable", "the runner was started anew since");
    if ([...all.values()].some((run) => run.report === null))
      return refuse("busy", "another run is live");
    const run: Run = {
      id,
      fence: request.fence,
      request,
      events: [],
      report: null,
      cancelled: null,
      outputs: new Map(),
    };
    all.set(id, run);
    if (kind === "runs") this.onRun(new RunControl(run, this.nowMs));
    else this.onPatch(new PatchControl(run, this.nowMs));
    return answer(status(run));
  }

  #cancel(run: Run, body: unknown): Response {
    const { fence, reason } = cancelRequestSchema.parse(body);
    if (fence < run.fence) return refuse("stale_fence", "a higher fence is known");
    if (run.report !== null) return answer(status(run));
    run.cancelled = reason;
    if (this.patches.has(run.id)) new PatchControl(run, this.nowMs).stop(reason);
    else new RunControl(run, this.nowMs).stop(reason);
    return answer(status(run));
  }

  #events(run: Run, query: URLSearchParams): Response {
    let after = Number(query.get("after"));
    const untilMs = Date.now() + Number(query.get("waitMs"));
    const encoder = new TextEncoder();
    // Looks again and again instead of being woken: a promise must not cross from one Worker context to another.
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        for (;;) {
          const next = run.events.slice(after);
          if (next.length > 0) {
            after += next.length;
            const lines = next.map((event) => `${JSON.stringify(event)}\n`).join("");
            return controller.enqueue(encoder.encode(lines));
          }
          if (run.report !== null || Date.now() >= untilMs) return controller.close();
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
    });
    return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
  }

  #keepBundle(path: string, bytes: ArrayBuffer): Response {
    this.bundles.set(path.slice("/bundles/".length), new TextDecoder().decode(bytes));
    return answer({ bytes: bytes.byteLength });
  }

  #forge(action: string, body: unknown): Response {
    if (action === "bundle") return bundleOf(bundleRequestSchema.parse(body).source);
    if (action === "ref") {
      const { ref } = readRefRequestSchema.parse(body);
      return answer({ commit: this.refs.get(ref) ?? null });
    }
    if (action === "files") return this.#files(readFilesRequestSchema.parse(body));
    if (action === "commit") {
      const request = commitRequestSchema.parse(body);
      const commit = fakeSha(JSON.stringify(request));
      this.parents.set(commit, request.parent);
      this.messages.push(request.message);
      return answer({ commit });
    }
    if (action === "goes-on") {
      const { commit, from } = goesOnRequestSchema.parse(body);
      return answer({ goesOn: this.#goesOnFrom(commit, from) });
    }
    const { ref, from, to } = moveRefRequestSchema.parse(body);
    const current = this.refs.get(ref) ?? null;
    if (current !== from) return answer(this.#lost(current, to));
    this.refs.set(ref, to);
    return answer({ kind: "moved" } satisfies MoveRefAnswer);
  }

  #files({ commit, paths }: z.infer<typeof readFilesRequestSchema>): Response {
    const tree = this.trees.get(commit);
    if (tree === undefined) return refuse("source_unreadable", `there is no commit ${commit}`);
    return answer({ files: paths.map((path) => fileIn(tree, path)) });
  }

  #lost(current: string | null, to: string): MoveRefAnswer {
    const isBehind = current !== null && current !== to && this.#goesOnFrom(current, to);
    return { kind: "lost", current, ...(isBehind ? { contains: true } : {}) };
  }

  #goesOnFrom(commit: string, earlier: string): boolean {
    for (let at: string | undefined = commit; at !== undefined; at = this.parents.get(at))
      if (at === earlier) return true;
    return false;
  }
}

/** As the real one, it has a branch only where no commit was named. */
const bundleOf = ({ commit }: Source): Response =>
  new Response(`a bundle of ${commit ?? "main"}`, {
    headers: {
      [bundleHeaders.commit]: commit ?? fakeSha("bundle"),
      [bundleHeaders.branch]: commit === undefined ? "main" : "",
    },
  });

function fileIn(tree: Record<string, string>, path: string): ForgeFile {
  const text = tree[path];
  const files = Object.keys(tree).filter((one) => one.startsWith(`${path}/`)).length;
  if (text !== undefined)
    return { kind: "file", path, mode: "100644", base64: encodeBase64(encodeText(text)) };
  return files === 0 ? { kind: "absent", path } : { kind: "directory", path, files };
}

/** A commit id that depends on the request alone, as git's does. */
function fakeSha(text: string): string {
  let hash = 0;
  for (const char of text) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  return hash.toString(16).padStart(40, "c");
}

const status = (run: Run) => ({
  id: run.id,
  fence: run.fence,
  state: run.report === null ? "live" : "finished",
  lastEvent: run.events.length,
});

function outputOf(run: Run, command: number): Response {
  const text = run.outputs.get(command);
  if (run.report === null) return refuse("busy", "it is not finished");
  if (text === undefined) return refuse("output_not_kept", "nothing is kept of this command");
  const bytes = encodeText(text);
  return new Response(bytes, { headers: { [outputBytesHeader]: String(bytes.length) } });
}

const answer = (value: unknown): Response => Response.json({ ok: true, value });

const refuse = (code: ErrorCode, message: string): Response =>
  Response.json({ ok: false, error: { code, message } }, { status: errorTable[code].http });
