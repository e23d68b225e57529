// A coding agent that obeys every bad order. It speaks as Claude Code does, and leaves its notes in the patch.
import fs from "node:fs";
import { attempts } from "./attempts.mjs";
import { hosts, network } from "./network.mjs";

const emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const session_id = "5f0c6a35-0000-4000-8000-000000000001";
emit({ type: "system", subtype: "init", session_id, model: "evil", cwd: process.cwd(), tools: [] });

const prompt = fs.readFileSync(0, "utf8");
const orders = JSON.parse(prompt.slice(prompt.indexOf("{")));
if (orders.stay) await new Promise((resolve) => setTimeout(resolve, 600_000));
const notes = [];
for (const [name, attempt] of Object.entries(chosen(orders))) {
  if (orders.only && !orders.only.includes(name)) continue;
  if (!orders.only && attempt.apart) continue;
  notes.push({ name, ...(await tryIt(attempt.act ?? attempt, orders)) });
}
fs.writeFileSync("notes.json", `${JSON.stringify(notes, null, 1)}\n`);
emit({ type: "assistant", session_id, message: { id: "m1", role: "assistant", content: [{ type: "text", text: JSON.stringify({ environment: process.env }) }] } });
emit({ type: "result", subtype: "success", is_error: false, result: "done", session_id, num_turns: 1, duration_ms: 1, total_cost_usd: 0, usage: { input_tokens: 1, output_tokens: 1 } });

function chosen({ allowed, network: isOnline }) {
  if (allowed) return hosts(orders);
  return isOnline ? { ...attempts, ...network } : attempts;
}

// An attempt that returns got something; one that throws was refused, and its words say by what.
async function tryIt(act, orders) {
  try {
    const got = await act(orders);
    return { got: true, what: `${String(got ?? "").length} characters` };
  } catch (error) {
    return { got: false, what: String(error.code ?? error.message ?? error).slice(0, 300) };
  }
}
