#!/usr/bin/env node
/**
 * model-server.mjs - a scripted stand-in for the model services that coding-agent CLIs call.
 *
 * Dependency-free Node (>= 18), loopback only. It speaks enough of four wire dialects for
 * the real CLIs to run a whole task offline and always the same way:
 *
 *   anthropic  POST /v1/messages, /v1/messages/count_tokens      (Claude Code; Copilot CLI BYOK; OpenCode)
 *   responses  POST /v1/responses                                 (Codex CLI; Copilot CLI BYOK; OpenCode)
 *   chat       POST /v1/chat/completions                          (OpenCode; Copilot CLI BYOK)
 *   gemini     POST /v1beta/models/M:generateContent, :streamGenerateContent, :countTokens (Gemini CLI)
 *
 * START
 *   node model-server.mjs [--port 0] [--scenario edit] [--log requests.jsonl] [--bodies DIR] [--cwd DIR]
 *   prints one line on stdout once it listens:  {"url":"http://127.0.0.1:PORT"}
 *   Or from a test:  import { startModelServer } from "./model-server.mjs";
 *                    const s = await startModelServer({ scenario: "edit" }); ... s.requests; await s.close();
 *
 * POINT A CLI AT IT  (every key may be any non-empty string)
 *   claude    ANTHROPIC_BASE_URL=$URL/s/edit            ANTHROPIC_API_KEY=sk-ant-test
 *   codex     -c model_provider=scripted -c 'model_providers.scripted={name="scripted",
 *             base_url="$URL/s/edit/v1",env_key="CODEX_API_KEY",wire_api="responses"}'
 *   gemini    GOOGLE_GEMINI_BASE_URL=$URL/s/edit        GEMINI_API_KEY=test
 *   copilot   COPILOT_PROVIDER_BASE_URL=$URL/s/edit/v1  COPILOT_PROVIDER_API_KEY=test COPILOT_MODEL=...
 *             COPILOT_PROVIDER_TYPE=openai|anthropic (for anthropic leave /v1 off)
 *   opencode  opencode.json: provider.scripted = { npm: "@ai-sdk/openai-compatible" | "@ai-sdk/anthropic",
 *             options: { baseURL: "$URL/s/edit/v1", apiKey: "test" }, models: { m1: {} } }
 *
 * CHOOSE THE SCENARIO, in this order of precedence
 *   1. a path prefix in the base URL:  /s/<scenario>/...     (one server can serve all tests at once)
 *   2. a marker in the prompt:         [[scenario:edit]]
 *   3. --scenario (default "edit")
 *
 * SCENARIOS  (scenarios.mjs; the small repo they expect is the one `makeRepo(dir)` writes)
 *   edit          read src/math.js, rename add -> sum, write test/math.test.js, run it, final message
 *   fix           run the failing test, read, mend src/shipping.js, run the tests (the repo of `makeFailingRepo(dir)`)
 *   second-try    changes README.md alone; in a task that puts a change right (docs/operating.md), plays `fix`
 *   plain         one text answer, no tools
 *   thinking      a thinking/reasoning block, then a text answer
 *   leak          runs `env | sort` with the agent's shell tool, then repeats what it printed (redaction tests)
 *   outside       tries to write a file outside the repository with the agent's write tool
 *   slow-tool     runs `sleep 300` in the shell tool (cancel-during-tool tests)
 *   long          a text answer of about 400 kB;  long-tool: a shell command that prints about 2 MB
 *   loop          calls a tool for ever (turn and budget limits)
 *   bad-tool      calls a tool that does not exist, then answers
 *   error-401 error-403 error-400 error-429 error-quota error-500 error-529   every request fails so
 *   flaky-429     the first two model requests get 429 (retry-after 1), then it plays `edit`
 *   hang          headers and half an answer, then silence until the client goes away
 *   hang-silent   accepts the request and never answers at all
 *   cut           half an answer, then the socket is destroyed
 *   garbage       200 with an HTML page
 *
 * HOW IT PLAYS. It keeps no session state (but the flaky-429 counter): from the request it reads how many
 * tool rounds follow the last user text, and plays that step; so retries, resumes and parallel runs just
 * work. Tool calls are made schema-driven: it looks at the tools the CLI offers, picks the one that can
 * read / edit / write / run a shell command, and fills in that tool's own parameter names. A request that
 * offers no tools is taken for a side request (titles, summaries, classifiers) and gets a short answer.
 *
 * Usage figures are constant (USAGE below), so cost and token assertions can be exact.
 * The request log never holds a credential: it keeps only the header name and the last 4 characters.
 */
import http from "node:http";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { DIALECTS, json, USAGE } from "./dialects.mjs";
import { makeFailingRepo, makeRepo } from "./sampleRepos.mjs";
import { SCENARIOS } from "./scenarios.mjs";
import { findTool, toCall } from "./toolCalls.mjs";

export { makeFailingRepo, makeRepo, SCENARIOS, USAGE };

/** A value that fits a JSON schema, for side requests that ask for structured output. */
function sampleFor(schema = {}) {
  const type = String(Array.isArray(schema.type) ? schema.type[0] : schema.type ?? "object").toLowerCase();
  if (schema.enum) return schema.enum[0];
  if (type === "object") return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([k, v]) => [k, sampleFor(v)]));
  if (type === "array") return [];
  if (type === "boolean") return false;
  if (type === "number" || type === "integer") return 0;
  return "scripted";
}

/**
 * The working directory as the CLIs tell it to the model, searched in the raw request body: names may hold spaces, so
 * it ends with its line (the backslash of `\n`), its quotes or its tag.
 */
function findCwd(raw, fallback) {
  const m = /<cwd>(\/[^<]+)<\/cwd>|[Ww]orking directory(?: is)?: ?[`"\\]*(\/[^`"<\\]+)|Workspace Directories:[^/]{0,12}(\/[^"\\]+)/.exec(raw);
  return m?.slice(1).find(Boolean)?.trimEnd() ?? fallback;
}

/** Starts the server. Returns { url, requests, close() }; `requests` is the log, newest last. */
export async function startModelServer({ port = 0, scenario: defaultScenario = "edit", log, bodies, cwd = process.cwd() } = {}) {
  const requests = [];
  const attempts = new Map();
  const record = (entry) => {
    requests.push(entry);
    if (log) fs.appendFileSync(log, JSON.stringify(entry) + "\n");
  };

  const server = http.createServer(async (req, res) => {
    const started = Date.now();
    let raw = "";
    for await (const part of req) raw += part;
    const url = new URL(req.url, "http://localhost");
    const prefix = /^\/s\/([^/]+)(\/.*)?$/.exec(url.pathname);
    const p = prefix ? prefix[2] ?? "/" : url.pathname;
    const [dialectName, dialect] = Object.entries(DIALECTS).find(([, d]) => d.match(p)) ?? [];
    const credential = Object.fromEntries(
      ["authorization", "x-api-key", "x-goog-api-key", "api-key"].filter((h) => req.headers[h]).map((h) => [h, "…" + String(req.headers[h]).slice(-4)]),
    );
    const entry = { at: new Date(started).toISOString(), method: req.method, path: url.pathname + url.search, dialect: dialectName ?? null, agent: req.headers["user-agent"], credential, bytes: raw.length };

    if (!dialect || req.method !== "POST") {
      record(entry);
      if (req.method === "HEAD" || p === "/") return void res.writeHead(200).end();
      if (/\/models$/.test(p)) return json(res, 200, { object: "list", data: [{ id: "scripted-model", object: "model", created: 0, owned_by: "scripted" }], models: [] });
      return json(res, 404, { error: { message: `model-server: no route for ${req.method} ${url.pathname}`, type: "not_found" } });
    }

    let body;
    try {
      body = JSON.parse(raw || "{}");
    } catch {
      return json(res, 400, { error: { message: "body is not JSON" } });
    }
    if (dialect.special?.(p, body, res)) return record({ ...entry, special: true });

    const parsed = dialect.parse(body, p);
    const lastUser = parsed.turns.findLastIndex((t) => t.kind === "user");
    const since = parsed.turns.slice(lastUser + 1);
    const said = parsed.turns.filter((t) => t.kind === "user").map((t) => t.text).join("\n");
    const marker = /\[\[scenario:([\w-]+)\]\]/.exec(said);
    const name = prefix?.[1] ?? marker?.[1] ?? defaultScenario;
    const side = parsed.tools.length === 0 || parsed.jsonSchema !== undefined;
    const attempt = attempts.get(name) ?? 0;
    if (!side) attempts.set(name, attempt + 1);
    const ctx = {
      step: since.filter((t) => t.kind === "call").length,
      lastToolOutput: since.filter((t) => t.kind === "result").at(-1)?.text ?? "",
      cwd: findCwd(raw, cwd),
      attempt,
      said,
      can: (action) => Boolean(findTool(parsed.tools, action)),
    };
    const play = SCENARIOS[name];
    if (!play) return json(res, 404, { error: { message: `model-server: no scenario "${name}"` } });
    let answer = play(ctx);
    if (side && !answer.http) answer = { text: parsed.jsonSchema !== undefined ? JSON.stringify(sampleFor(parsed.jsonSchema)) : "Rename add to sum" };
    if (answer.calls) answer = { ...answer, calls: answer.calls.map((a) => toCall(a, parsed.tools)) };

    const full = { ...entry, scenario: name, model: parsed.model, stream: parsed.stream, side, step: ctx.step, attempt, cwd: ctx.cwd, tools: parsed.tools.map((t) => t.name), played: answer.http ? `http ${answer.http.status}` : answer.fault ?? (answer.calls?.map((c) => c.name).join(",") || "text") };
    record(full);
    if (bodies) fs.writeFileSync(path.join(bodies, `${String(requests.length).padStart(3, "0")}-${dialectName}-${name}.json`), JSON.stringify(body, null, 1));
    res.on("close", () => {
      if (!res.writableFinished) record({ at: new Date().toISOString(), event: "client-closed", path: entry.path, afterMs: Date.now() - started });
    });

    if (answer.http) return dialect.error(res, { ...answer.http, headers: answer.http.retryAfter ? { "retry-after": String(answer.http.retryAfter) } : {} });
    if (answer.fault === "hang-silent") return;
    if (answer.fault === "garbage") return void res.writeHead(200, { "content-type": "text/html" }).end("<html><body>Bad gateway</body></html>");
    if (answer.fault) {
      dialect.send(res, { ...parsed, stream: true }, answer, { partial: true });
      if (answer.fault === "cut") setTimeout(() => res.destroy(), 200);
      return;
    }
    dialect.send(res, parsed, answer);
  });

  await new Promise((ok, no) => server.once("error", no).listen(port, "127.0.0.1", ok));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    close: () => new Promise((ok) => (server.close(ok), server.closeAllConnections())),
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(fs.realpathSync(process.argv[1])).href) {
  const opt = (name, fallback) => {
    const i = process.argv.indexOf("--" + name);
    return i > 0 ? process.argv[i + 1] : fallback;
  };
  if (process.argv.includes("--make-repo")) {
    makeRepo(opt("make-repo"));
  } else if (process.argv.includes("--make-failing-repo")) {
    makeFailingRepo(opt("make-failing-repo"));
  } else {
    const bodies = opt("bodies");
    if (bodies) fs.mkdirSync(bodies, { recursive: true });
    const s = await startModelServer({ port: Number(opt("port", 0)), scenario: opt("scenario", "edit"), log: opt("log"), bodies, cwd: opt("cwd", process.cwd()) });
    console.log(JSON.stringify({ url: s.url }));
    for (const sig of ["SIGINT", "SIGTERM"]) process.once(sig, () => s.close().then(() => process.exit(0)));
  }
}
