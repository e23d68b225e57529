/**
 * The wire dialects: parse(body) -> { tools, turns, stream, model, … }, and how to send answers and errors.
 * A turn is { kind: "user"|"call"|"result", text }.
 */
/** Token figures sent with every successful answer. */
export const USAGE = { input: 1000, cacheRead: 200, cacheWrite: 0, output: 50, reasoning: 10 };

const textOf = (c) => (typeof c === "string" ? c : Array.isArray(c) ? c.map((p) => p?.text ?? p?.content ?? "").map(textOf).join("") : c == null ? "" : typeof c === "object" ? textOf(c.text ?? c.content ?? c.output ?? JSON.stringify(c)) : String(c));
let serial = 0;
const id = (prefix) => `${prefix}_${String(++serial).padStart(6, "0")}`;
const sseHead = (res) => res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache", "request-id": id("req") });
export const json = (res, status, body, headers = {}) => {
  res.writeHead(status, { "content-type": "application/json", ...headers });
  res.end(JSON.stringify(body));
};
const chunks = (text, n = 400) => text.match(new RegExp(`[\\s\\S]{1,${n}}`, "g")) ?? [];

const anthropic = {
  match: (p) => /\/messages(\/count_tokens)?$/.test(p),
  parse(body) {
    const turns = [];
    for (const m of body.messages ?? []) {
      const parts = typeof m.content === "string" ? [{ type: "text", text: m.content }] : m.content ?? [];
      if (m.role === "user" && parts.some((p) => p.type === "tool_result"))
        turns.push({ kind: "result", text: parts.filter((p) => p.type === "tool_result").map((p) => textOf(p.content)).join("\n") });
      else if (m.role === "user") turns.push({ kind: "user", text: textOf(parts) });
      else if (parts.some((p) => p.type === "tool_use")) turns.push({ kind: "call" });
    }
    const tools = (body.tools ?? []).map((t) => ({ name: t.name, schema: t.input_schema }));
    return { tools, turns, stream: body.stream === true, model: body.model };
  },
  special(p, body, res) {
    if (p.endsWith("/count_tokens")) return json(res, 200, { input_tokens: USAGE.input }), true;
  },
  error(res, e) {
    const type = { auth: "authentication_error", forbidden: "permission_error", rate: "rate_limit_error", quota: "rate_limit_error", overloaded: "overloaded_error", invalid: "invalid_request_error" }[e.kind] ?? "api_error";
    json(res, e.status, { type: "error", error: { type, message: e.message }, request_id: id("req") }, e.headers);
  },
  send(res, req, answer, { partial } = {}) {
    const usage = { input_tokens: USAGE.input, cache_creation_input_tokens: USAGE.cacheWrite, cache_read_input_tokens: USAGE.cacheRead, output_tokens: USAGE.output };
    const blocks = [];
    if (answer.thinking) blocks.push({ type: "thinking", thinking: answer.thinking, signature: "c2NyaXB0ZWQ=" });
    if (answer.text) blocks.push({ type: "text", text: answer.text });
    for (const c of answer.calls ?? []) blocks.push({ type: "tool_use", id: id("toolu"), name: c.name, input: c.args ?? { input: c.text } });
    const stop = answer.calls?.length ? "tool_use" : "end_turn";
    const message = { id: id("msg"), type: "message", role: "assistant", model: req.model, content: blocks, stop_reason: stop, stop_sequence: null, usage };
    if (!req.stream) return json(res, 200, message);
    sseHead(res);
    const ev = (type, data) => res.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
    ev("message_start", { message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } } });
    blocks.forEach((b, index) => {
      const empty = b.type === "text" ? { type: "text", text: "" } : b.type === "thinking" ? { type: "thinking", thinking: "", signature: "" } : { ...b, input: {} };
      ev("content_block_start", { index, content_block: empty });
      const delta = (d) => ev("content_block_delta", { index, delta: d });
      if (b.type === "text") for (const t of chunks(b.text)) delta({ type: "text_delta", text: t });
      if (b.type === "thinking") delta({ type: "thinking_delta", thinking: b.thinking }), delta({ type: "signature_delta", signature: b.signature });
      if (b.type === "tool_use") for (const t of chunks(JSON.stringify(b.input))) delta({ type: "input_json_delta", partial_json: t });
      if (!partial) ev("content_block_stop", { index });
    });
    if (partial) return;
    ev("message_delta", { delta: { stop_reason: stop, stop_sequence: null }, usage });
    ev("message_stop", {});
    res.end();
  },
};

const openaiError = (res, e) => {
  const [type, code] = { auth: ["invalid_request_error", "invalid_api_key"], forbidden: ["invalid_request_error", "model_not_found"], rate: ["tokens", "rate_limit_exceeded"], quota: ["insufficient_quota", "insufficient_quota"], overloaded: ["server_error", "server_is_overloaded"], invalid: ["invalid_request_error", null] }[e.kind] ?? ["server_error", "server_error"];
  json(res, e.status, { error: { message: e.message, type, param: null, code } }, e.headers);
};

const responses = {
  match: (p) => /\/responses$/.test(p),
  parse(body) {
    const turns = [];
    const items = typeof body.input === "string" ? [{ role: "user", content: body.input }] : body.input ?? [];
    for (const i of items) {
      if (i.role === "user") turns.push({ kind: "user", text: textOf(i.content) });
      else if (/_call$/.test(i.type ?? "")) {
        if (turns.at(-1)?.kind !== "call") turns.push({ kind: "call" });
      } else if (/_call_output$/.test(i.type ?? "")) turns.push({ kind: "result", text: textOf(i.output) });
    }
    const offered = [...(body.tools ?? []), ...items.filter((i) => i.type === "additional_tools").flatMap((i) => i.tools ?? [])];
    const tools = offered.flatMap((t) =>
      t.type === "namespace" ? (t.tools ?? []).map((x) => ({ ...x, namespace: t.name })) : [t],
    ).map((t) => ({ name: t.name ?? t.type, schema: t.parameters, freeform: t.type === "custom", namespace: t.namespace }));
    return { tools, turns, stream: body.stream === true, model: body.model };
  },
  error: openaiError,
  send(res, req, answer, { partial } = {}) {
    const out = [];
    if (answer.thinking) out.push({ id: id("rs"), type: "reasoning", summary: [{ type: "summary_text", text: answer.thinking }], encrypted_content: null });
    if (answer.text) out.push({ id: id("msg"), type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: answer.text, annotations: [] }] });
    for (const c of answer.calls ?? [])
      out.push(
        c.freeform
          ? { id: id("ctc"), type: "custom_tool_call", call_id: id("call"), name: c.name, ...(c.namespace ? { namespace: c.namespace } : {}), input: c.text, status: "completed" }
          : { id: id("fc"), type: "function_call", call_id: id("call"), name: c.name, ...(c.namespace ? { namespace: c.namespace } : {}), arguments: JSON.stringify(c.args), status: "completed" },
      );
    const usage = { input_tokens: USAGE.input, input_tokens_details: { cached_tokens: USAGE.cacheRead }, output_tokens: USAGE.output, output_tokens_details: { reasoning_tokens: USAGE.reasoning }, total_tokens: USAGE.input + USAGE.output };
    const base = { id: id("resp"), object: "response", created_at: Math.floor(Date.now() / 1000), model: req.model, output: [], parallel_tool_calls: true, error: null, incomplete_details: null };
    const full = { ...base, status: "completed", output: out, usage };
    if (!req.stream) return json(res, 200, full);
    sseHead(res);
    let n = 0;
    const ev = (type, data) => res.write(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: n++, ...data })}\n\n`);
    ev("response.created", { response: { ...base, status: "in_progress" } });
    ev("response.in_progress", { response: { ...base, status: "in_progress" } });
    out.forEach((item, output_index) => {
      const at = { item_id: item.id, output_index };
      if (item.type === "message") {
        const text = item.content[0].text;
        ev("response.output_item.added", { output_index, item: { ...item, status: "in_progress", content: [] } });
        ev("response.content_part.added", { ...at, content_index: 0, part: { type: "output_text", text: "", annotations: [] } });
        for (const t of chunks(text)) ev("response.output_text.delta", { ...at, content_index: 0, delta: t });
        if (partial) return;
        ev("response.output_text.done", { ...at, content_index: 0, text });
        ev("response.content_part.done", { ...at, content_index: 0, part: item.content[0] });
      } else if (item.type === "reasoning") {
        ev("response.output_item.added", { output_index, item: { ...item, summary: [] } });
        ev("response.reasoning_summary_part.added", { ...at, summary_index: 0, part: { type: "summary_text", text: "" } });
        ev("response.reasoning_summary_text.delta", { ...at, summary_index: 0, delta: item.summary[0].text });
        ev("response.reasoning_summary_text.done", { ...at, summary_index: 0, text: item.summary[0].text });
        ev("response.reasoning_summary_part.done", { ...at, summary_index: 0, part: item.summary[0] });
      } else {
        const custom = item.type === "custom_tool_call";
        const name = custom ? "response.custom_tool_call_input" : "response.function_call_arguments";
        ev("response.output_item.added", { output_index, item: { ...item, status: "in_progress", [custom ? "input" : "arguments"]: "" } });
        for (const t of chunks(custom ? item.input : item.arguments)) ev(`${name}.delta`, { ...at, delta: t });
        ev(`${name}.done`, { ...at, [custom ? "input" : "arguments"]: custom ? item.input : item.arguments });
      }
      ev("response.output_item.done", { output_index, item });
    });
    if (partial) return;
    ev("response.completed", { response: full });
    res.end();
  },
};

const chat = {
  match: (p) => /\/chat\/completions$/.test(p),
  parse(body) {
    const turns = [];
    for (const m of body.messages ?? []) {
      if (m.role === "user") turns.push({ kind: "user", text: textOf(m.content) });
      else if (m.role === "assistant" && m.tool_calls?.length) turns.push({ kind: "call" });
      else if (m.role === "tool") turns.push({ kind: "result", text: textOf(m.content) });
    }
    const tools = (body.tools ?? []).map((t) => ({ name: t.function?.name ?? t.custom?.name, schema: t.function?.parameters, freeform: t.type === "custom" }));
    return { tools, turns, stream: body.stream === true, model: body.model, wantsUsage: body.stream_options?.include_usage };
  },
  error: openaiError,
  send(res, req, answer, { partial } = {}) {
    const tool_calls = (answer.calls ?? []).map((c, index) => ({ index, id: id("call"), type: "function", function: { name: c.name, arguments: JSON.stringify(c.args ?? { input: c.text }) } }));
    const finish_reason = tool_calls.length ? "tool_calls" : "stop";
    const usage = { prompt_tokens: USAGE.input, completion_tokens: USAGE.output, total_tokens: USAGE.input + USAGE.output, prompt_tokens_details: { cached_tokens: USAGE.cacheRead }, completion_tokens_details: { reasoning_tokens: USAGE.reasoning } };
    const base = { id: id("chatcmpl"), created: Math.floor(Date.now() / 1000), model: req.model };
    if (!req.stream) {
      const message = { role: "assistant", content: answer.text || null, ...(tool_calls.length ? { tool_calls: tool_calls.map(({ index, ...t }) => t) } : {}) };
      return json(res, 200, { ...base, object: "chat.completion", choices: [{ index: 0, message, finish_reason }], usage });
    }
    sseHead(res);
    const ev = (choice, more = {}) => res.write(`data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices: choice ? [{ index: 0, finish_reason: null, ...choice }] : [], ...more })}\n\n`);
    ev({ delta: { role: "assistant", content: "" } });
    if (answer.thinking) ev({ delta: { reasoning_content: answer.thinking } });
    for (const t of chunks(answer.text ?? "")) ev({ delta: { content: t } });
    for (const t of tool_calls) ev({ delta: { tool_calls: [t] } });
    if (partial) return;
    ev({ delta: {}, finish_reason });
    if (req.wantsUsage) ev(null, { usage });
    res.end("data: [DONE]\n\n");
  },
};

const gemini = {
  match: (p) => /\/models\/[^/]+:(generateContent|streamGenerateContent|countTokens)$/.test(p),
  parse(body, p) {
    const turns = [];
    for (const c of body.contents ?? []) {
      const parts = c.parts ?? [];
      if (parts.some((x) => x.functionResponse)) turns.push({ kind: "result", text: parts.filter((x) => x.functionResponse).map((x) => textOf(x.functionResponse.response?.output ?? JSON.stringify(x.functionResponse.response))).join("\n") });
      else if (c.role === "user") turns.push({ kind: "user", text: parts.map((x) => x.text ?? "").join("") });
      else if (parts.some((x) => x.functionCall)) turns.push({ kind: "call" });
    }
    const tools = (body.tools ?? []).flatMap((t) => t.functionDeclarations ?? []).map((t) => ({ name: t.name, schema: t.parametersJsonSchema ?? t.parameters }));
    const gc = body.generationConfig ?? {};
    return { tools, turns, stream: p.includes(":stream"), model: /models\/([^:]+):/.exec(p)[1], jsonSchema: gc.responseMimeType === "application/json" ? gc.responseJsonSchema ?? gc.responseSchema ?? {} : undefined };
  },
  special(p, body, res) {
    if (p.endsWith(":countTokens")) return json(res, 200, { totalTokens: USAGE.input }), true;
  },
  error(res, e) {
    const status = { auth: "UNAUTHENTICATED", forbidden: "PERMISSION_DENIED", rate: "RESOURCE_EXHAUSTED", quota: "RESOURCE_EXHAUSTED", overloaded: "UNAVAILABLE", invalid: "INVALID_ARGUMENT" }[e.kind] ?? "INTERNAL";
    const code = e.status === 529 ? 503 : e.status;
    const details = e.kind === "rate" ? [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${e.retryAfter}s` }] : e.kind === "quota" ? [{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel" }] }] : [];
    json(res, code, { error: { code, message: e.message, status, details } }, e.headers);
  },
  send(res, req, answer, { partial } = {}) {
    const usageMetadata = { promptTokenCount: USAGE.input, candidatesTokenCount: USAGE.output, cachedContentTokenCount: USAGE.cacheRead, thoughtsTokenCount: USAGE.reasoning, totalTokenCount: USAGE.input + USAGE.output + USAGE.reasoning };
    const parts = [];
    if (answer.thinking) parts.push({ text: answer.thinking, thought: true });
    for (const t of chunks(answer.text ?? "")) parts.push({ text: t });
    for (const c of answer.calls ?? []) parts.push({ functionCall: { id: id("call"), name: c.name, args: c.args } });
    const wrap = (ps, last) => ({ candidates: [{ content: { role: "model", parts: ps }, index: 0, ...(last ? { finishReason: "STOP" } : {}) }], modelVersion: req.model, responseId: base, ...(last ? { usageMetadata } : {}) });
    const base = id("resp");
    if (!req.stream) return json(res, 200, wrap(parts, true));
    sseHead(res);
    parts.forEach((p, i) => res.write(`data: ${JSON.stringify(wrap([p], !partial && i === parts.length - 1))}\n\n`));
    if (!partial) res.end();
  },
};

export const DIALECTS = { anthropic, responses, chat, gemini };
