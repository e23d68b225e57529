import { usageText } from "../terminal/eventLines.ts";
import { duration, printable } from "../terminal/style.ts";
import type { DemoOptions } from "./options.ts";
import { git } from "./repository.ts";
import type { DemoOutcome, DemoScreen } from "./run.ts";

/** The one object of `--json`. */
export const summary = (options: DemoOptions, { task, agentVersion }: DemoOutcome) => ({
  task: { id: task.id, status: task.status },
  execution: task.execution && {
    id: task.execution.id,
    provider: task.execution.provider,
    status: task.execution.status,
    durationMs: task.execution.durationMs,
    usage: task.execution.usage,
    events: task.execution.events,
  },
  patch: task.patch && { operations: task.patch.operations, files: task.patch.files },
  validation: {
    status: task.patch?.validation?.status ?? null,
    place: task.patch?.validation?.place ?? null,
  },
  commit: task.commit,
  agent: { name: options.agent, version: agentVersion },
  model: options.model,
});

/** Only a commit whose tree passed is a success, and only if nothing else of the repository changed. */
export const succeeded = ({ task, untouched }: DemoOutcome): boolean =>
  task.commit !== null && task.patch?.validation?.status !== "failed" && untouched;

export async function report(
  options: DemoOptions,
  outcome: DemoOutcome,
  screen: DemoScreen,
): Promise<void> {
  const { paint, say } = screen;
  const { task, repository, untouched } = outcome;
  if (task.commit !== null) await showPatch(outcome, screen);
  say(heading(screen, "Result"));
  say(`  task         ${task.status}: ${task.outcome?.message ?? task.waiting?.reason ?? ""}`);
  if (task.execution !== null)
    say(
      `  agent        ${options.agent} ${outcome.agentVersion}, ${duration(task.execution.durationMs ?? 0)}, ${usedBy(outcome)}`,
    );
  for (const line of validationLines(options, outcome)) say(line);
  if (task.commit !== null)
    say(`  commit       ${task.commit.sha.slice(0, 12)} on ${task.commit.branch}`);
  say(
    `  repository   ${untouched ? untouchedText(task.commit !== null) : paint("red", "something else than the new branch changed")}`,
  );
  if (options.own !== null && task.commit !== null)
    say(`\nLook at it:  git -C ${repository} show ${task.commit.branch}`);
}

const untouchedText = (hasBranch: boolean): string =>
  hasBranch
    ? "untouched but for that branch (git status and all other refs are as before)"
    : "untouched (git status and all refs are as before)";

const heading = ({ paint }: DemoScreen, text: string) => `\n${paint("bold", text)}`;

function usedBy({ task }: DemoOutcome): string {
  const usage = task.execution?.usage;
  if (usage == null) return "usage not told by the agent";
  return usageText(usage);
}

function validationLines(options: DemoOptions, { task }: DemoOutcome): string[] {
  const validation = task.patch?.validation;
  if (validation == null) return ["  validation   was not reached"];
  if (validation.status === "none")
    return [
      `  validation   none: no command was given${options.own === null ? "" : " (--validate COMMAND)"}`,
    ];
  const where = validation.place === "container" ? ", in a clean container of its own" : "";
  return validation.commands.flatMap(({ name, status, durationMs, tail }) => [
    `  validation   ${name}: ${status.replace("_", " ")} in ${duration(durationMs)}, on an export of the patched tree${where}`,
    ...(status === "passed"
      ? []
      : printable(tail)
          .trim()
          .split("\n")
          .map((row) => `      ${row}`)),
  ]);
}

async function showPatch({ task, repository, baseCommit }: DemoOutcome, screen: DemoScreen) {
  const { paint, say } = screen;
  say(heading(screen, "Patch"));
  const parent = `${task.commit?.sha}^`;
  const diff = await git(
    repository,
    "diff",
    "--no-color",
    "--no-ext-diff",
    parent,
    `${task.commit?.sha}`,
  );
  for (const line of printable(diff).split("\n").slice(0, 200)) {
    if (/^(diff|index|new file|deleted file)/.test(line)) say(`  ${paint("gray", line)}`);
    else if (line.startsWith("+")) say(`  ${paint("green", line)}`);
    else if (line.startsWith("-")) say(`  ${paint("red", line)}`);
    else say(`  ${line}`);
  }
  say(`  ${paint("gray", `against ${baseCommit.slice(0, 12)}`)}`);
}
