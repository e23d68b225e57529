import { duration, type Paint } from "./style.ts";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameEveryMs = 100;
const plainEveryMs = 5_000;

/**
 * Shows that something goes on, and for how long: a turning line on a terminal, a line every few seconds
 * elsewhere. Answers what the work answers.
 */
export async function withProgress<T>(
  out: NodeJS.WriteStream,
  paint: Paint,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  const startedAtMs = Date.now();
  const elapsed = () => duration(Date.now() - startedAtMs);
  let frame = 0;
  const draw = () => {
    frame += 1;
    out.write(
      `\r\u001b[K${paint("cyan", frames[frame % frames.length] ?? "")} ${what} ${paint("gray", elapsed())}`,
    );
  };
  if (!out.isTTY) out.write(`${what} …\n`);
  const timer = out.isTTY
    ? setInterval(draw, frameEveryMs)
    : setInterval(() => out.write(`  still at it, ${elapsed()}\n`), plainEveryMs);
  try {
    const answer = await work();
    const done = `${paint("green", "✓")} ${what} ${paint("gray", elapsed())}\n`;
    out.write(out.isTTY ? `\r\u001b[K${done}` : done);
    return answer;
  } catch (error) {
    out.write(`${out.isTTY ? "\r\u001b[K" : ""}${paint("red", "✗")} ${what}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
