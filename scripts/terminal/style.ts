import { stripVTControlCharacters, styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Colours where a person looks at a terminal that has them, plain text elsewhere. */
export const painter = (stream: NodeJS.WriteStream) => {
  const colours = stream.isTTY && process.env.NO_COLOR === undefined;
  return (style: Style, text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;
};
export type Paint = ReturnType<typeof painter>;

/** "850 ms", "4.2 s", "3 min 20 s". */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

/** Micro-dollars as a person reads them; null is said, not hidden. */
export function money(microUsd: number | null): string {
  if (microUsd === null) return "cost not told by the agent";
  return `$${(microUsd / 1_000_000).toFixed(microUsd < 10_000 ? 4 : 2)}`;
}

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;

/** One line, cut with a mark: what an agent prints must not run over a person's terminal. */
export function oneLine(text: string, width: number): string {
  const line = printable(text).replaceAll(/\s+/g, " ").trim();
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}

/** Without control characters, so that an agent cannot move the cursor or set the title. */
export const printable = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\n\t]/gu, "");
