import { isSecret } from "./judge.ts";
import { type SecretRule, secretRules } from "./rules.ts";

/** Where a secret stands, never what it is. `line` counts from 1. */
export type SecretFinding = { rule: string; line: number };

/** How far around its keyword a rule looks; it says so itself where that is not enough. */
const before = 256;
const after = 1_024;

const rulesOf = new Map<string, SecretRule[]>();
for (const rule of secretRules)
  for (const keyword of rule.keywords)
    rulesOf.set(keyword, [...(rulesOf.get(keyword) ?? []), rule]);

/** The prefilter: every keyword in one expression, so that a text is read once. The longest of some is taken. */
const anyKeyword = new RegExp(
  [...rulesOf.keys()]
    .sort((a, b) => b.length - a.length)
    .map((keyword) => keyword.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"))
    .join("|"),
  "gi",
);

/** A text full of secrets is refused for its first ones. */
const maxFindings = 100;

/** The secrets of a text, one for each rule and line, in the order of lines. */
export function scanText(text: string, ignoreRules: readonly string[] = []): SecretFinding[] {
  const matches = [...windowsOf(text)]
    .filter(([{ name }]) => !ignoreRules.includes(name))
    .flatMap(([rule, windows]) => matchesOf(text, rule, windows))
    .sort((a, b) => a.at - b.at);
  const found = new Map<string, SecretFinding>();
  let line = 1;
  let from = 0;
  for (const { rule, at } of matches) {
    line += countNewlines(text, from, at);
    from = at;
    found.set(`${rule} ${line}`, { rule, line });
    if (found.size === maxFindings) break;
  }
  return [...found.values()];
}

type Window = { from: number; to: number };

/** What each rule has to look at: the surroundings of its keywords, each place once. */
function windowsOf(text: string): Map<SecretRule, Window[]> {
  const windows = new Map<SecretRule, Window[]>();
  for (const { 0: keyword, index: at } of text.matchAll(anyKeyword))
    for (const rule of rulesOf.get(keyword.toLowerCase()) ?? []) {
      const known = windows.get(rule) ?? [];
      windows.set(rule, known);
      addWindow(known, Math.max(at - before, 0), at + (rule.reach ?? after));
    }
  return windows;
}

/** They come in order, so one that begins inside the last one makes that longer. */
function addWindow(windows: Window[], from: number, to: number): void {
  const last = windows.at(-1);
  if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
  else windows.push({ from, to });
}

function matchesOf(text: string, rule: SecretRule, windows: Window[]) {
  return windows.flatMap(({ from, to }) =>
    [...text.slice(from, to).matchAll(rule.pattern)].flatMap((match) =>
      isSecret(match[1] ?? match[0], rule) ? [{ rule: rule.name, at: from + match.index }] : [],
    ),
  );
}

function countNewlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at !== -1 && at < to; at = text.indexOf("\n", at + 1))
    count += 1;
  return count;
}
