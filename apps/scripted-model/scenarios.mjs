/**
 * What the scripted model says. A scenario is (ctx) => answer, with ctx = { step, lastToolOutput, cwd, can, attempt, said }.
 * An answer is { thinking?, text?, calls?: [action] } or { http } or { fault, text? }. An action is
 * { do: "read"|"edit"|"write"|"shell"|"patch"|"unknown", … } and becomes a call of one of the CLI's tools (toolCalls.mjs).
 */
import path from "node:path";
import { FREE_SHIPPING, TEST_SOURCE } from "./sampleRepos.mjs";

const PATCH = (dir) =>
  `*** Begin Patch\n*** Update File: ${dir}src/math.js\n@@\n-export function add(a, b) {\n+export function sum(a, b) {\n` +
  `*** Add File: ${dir}test/math.test.js\n${TEST_SOURCE.trimEnd().split("\n").map((l) => "+" + l).join("\n")}\n*** End Patch\n`;

const say = (text, more = {}) => ({ text, ...more });
const shell = (command) => ({ do: "shell", command });

function editScenario({ step, cwd, can }) {
  const file = path.join(cwd, "src/math.js");
  const test = path.join(cwd, "test/math.test.js");
  const run = shell("node --test 2>&1 | tail -12");
  const done = say("Renamed `add` to `sum` in src/math.js and added test/math.test.js. The tests pass.");
  if (can("edit") && (can("write") || !can("patch"))) {
    // Claude Code --bare offers no Write tool: create the file with the shell instead.
    const write = can("write") ? { do: "write", file: test, content: TEST_SOURCE } : shell(`mkdir -p test && cat > test/math.test.js <<'EOF'\n${TEST_SOURCE}EOF`);
    return [
      say("I'll look at the file first.", { calls: [can("read") ? { do: "read", file } : shell("cat src/math.js")] }),
      say("Now the rename.", { calls: [{ do: "edit", file, from: "export function add(", to: "export function sum(" }] }),
      say("", { calls: [write] }),
      say("Running the tests.", { calls: [run] }),
    ][step] ?? done;
  }
  const patch = can("patch") ? { do: "patch", patch: PATCH("") } : shell(`apply_patch <<'EOF'\n${PATCH("")}EOF`);
  return [
    say("I'll look at the file first.", { calls: [shell("cat src/math.js")] }),
    say("Applying the change.", { calls: [patch] }),
    say("Running the tests.", { calls: [run] }),
  ][step] ?? done;
}

/** A failing test is run, its cause read and mended, and the tests run again. */
function fixScenario({ step, cwd, can }) {
  const file = path.join(cwd, FREE_SHIPPING.file);
  const run = shell("node --test 2>&1 | tail -40");
  const read = can("read") ? { do: "read", file } : shell(`cat ${FREE_SHIPPING.file}`);
  const { wrong, right } = FREE_SHIPPING;
  const edit = can("edit") ? { do: "edit", file, from: wrong, to: right } : shell(`sed -i 's/${wrong}/${right}/' ${FREE_SHIPPING.file}`);
  return [
    say("I'll run the tests to see what fails.", { calls: [run] }),
    say("An order of exactly 50.00 is charged. I'll look at the rule.", { calls: [read] }),
    say("The README says \"50.00 and more\", but the comparison leaves 50.00 out.", { calls: [edit] }),
    say("Running the tests again.", { calls: [run] }),
  ][step] ?? say("Orders of exactly 50.00 ship free now: the comparison in src/shipping.js left the limit itself out. All tests pass.");
}

/** The same, but its first command takes a while: for who ends something in the middle. */
const patientFixScenario = (ctx) => (ctx.step === 0 ? say("This takes a moment.", { calls: [shell("sleep 8; node --test 2>&1 | tail -40")] }) : fixScenario(ctx));

/** Its first change leaves the test failing, whatever it says; told so, it makes the change of `fix`. */
const secondTryScenario = (ctx) => {
  if (ctx.said.includes("An earlier change for this order could not be delivered")) return fixScenario(ctx);
  const note = shell("printf 'Orders of exactly 50.00 ship free.\\n' >> README.md");
  return ctx.step === 0 ? say("The rule is only told badly.", { calls: [note] }) : say("README.md says it clearly now. All tests pass.");
};

const httpError = (status, kind, message, retryAfter) => () => ({ http: { status, kind, message, retryAfter } });

export const SCENARIOS = {
  edit: editScenario,
  fix: fixScenario,
  "patient-fix": patientFixScenario,
  "second-try": secondTryScenario,
  plain: () => say("The function `add` in src/math.js returns the sum of its two arguments."),
  thinking: () => say("It adds two numbers.", { thinking: "The user asks what add does. It returns a + b." }),
  leak: ({ step, lastToolOutput }) =>
    step === 0 ? say("Let me look at the environment.", { calls: [shell("env | sort")] }) : say("The environment is:\n" + lastToolOutput.slice(0, 6000)),
  outside: ({ step, can }) =>
    step === 0
      ? say("Writing outside the repository.", {
          calls: [can("write") ? { do: "write", file: "/tmp/agent-outside.txt", content: "outside\n" } : shell("echo outside > /tmp/agent-outside.txt")],
        })
      : say("Done."),
  "slow-tool": ({ step }) => (step === 0 ? say("This takes a while.", { calls: [shell("echo started; sleep 300; echo finished")] }) : say("Done.")),
  // Lines differ from each other: Gemini CLI stops a run whose output repeats itself ("Loop detected").
  long: () => say(Array.from({ length: 4000 }, (_, i) => `${i} ` + Array.from({ length: 12 }, (_, k) => ((i + 1) * 7919 * (k + 3) ** 5).toString(36)).join(" ")).join("\n")),
  "long-tool": ({ step }) => (step === 0 ? say("", { calls: [shell("seq 1 300000")] }) : say("Printed many numbers.")),
  loop: ({ step }) => say(`Round ${step}.`, { calls: [shell(`echo round ${step}`)] }),
  "bad-tool": ({ step }) => (step === 0 ? say("", { calls: [{ do: "unknown" }] }) : say("That tool does not exist; nothing was done.")),
  "error-400": httpError(400, "invalid", "scripted: the request is not valid"),
  "error-401": httpError(401, "auth", "scripted: invalid API key"),
  "error-403": httpError(403, "forbidden", "scripted: this key may not use this model"),
  "error-429": httpError(429, "rate", "scripted: rate limit reached", 2),
  "error-quota": httpError(429, "quota", "scripted: you exceeded your current quota, check your plan and billing"),
  "error-500": httpError(500, "server", "scripted: internal error"),
  "error-529": httpError(529, "overloaded", "scripted: overloaded"),
  "flaky-429": (ctx) => (ctx.attempt < 2 ? httpError(429, "rate", "scripted: rate limit reached", 1)() : editScenario(ctx)),
  hang: () => ({ fault: "hang", text: "I am going to think about this for a very long" }),
  "hang-silent": () => ({ fault: "hang-silent" }),
  cut: () => ({ fault: "cut", text: "This answer will be cut in the midd" }),
  garbage: () => ({ fault: "garbage" }),
};
