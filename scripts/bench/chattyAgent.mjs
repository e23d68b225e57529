// Stands in the place of Gemini CLI in a benchmark: prints as many messages as the variable says, in its form.
const messages = Number(process.argv.includes("--messages") ? process.argv.at(-1) : 50_000);
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
print({ type: "init", session_id: "11111111-2222-4333-8444-555555555555", model: "none" });
for (let n = 1; n <= messages; n += 1) {
  const text = `step ${n}: ${"all is well, and work goes on; ".repeat(3)}`;
  const hasRoom = print({ type: "message", role: "assistant", content: text, delta: true });
  if (!hasRoom) await new Promise((resolve) => process.stdout.once("drain", resolve));
}
print({ type: "result", status: "success", stats: { total_tokens: 2, input_tokens: 1, output_tokens: 1, cached: 0 } });
