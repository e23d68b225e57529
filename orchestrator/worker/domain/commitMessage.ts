/** The message of a delivered commit: what was asked, and trailers that lead back to every record of it. */
export function commitMessage(input: {
  prompt: string;
  taskId: string;
  orderId: string;
  executionId: string;
  patchSetId: string;
  agent: string;
  model: string | null;
  /** `auditTrailer`, or null when nothing was sealed yet. */
  audit: string | null;
}): string {
  const trailers = [
    `Switchyard-Task: ${input.taskId}`,
    `Switchyard-Order: ${input.orderId}`,
    `Switchyard-Execution: ${input.executionId}`,
    `Switchyard-Patch-Set: ${input.patchSetId}`,
    `Switchyard-Agent: ${input.agent}${input.model === null ? "" : ` (${input.model})`}`,
    ...(input.audit === null ? [] : [`Switchyard-Audit: ${input.audit}`]),
  ];
  return `${subject(input.prompt)}\n\n${trailers.join("\n")}\n`;
}

const maxSubject = 72;

function subject(prompt: string): string {
  const line = [...firstLine(prompt)].map((c) => (c < " " || c === "\u007f" ? " " : c));
  if (line.length <= maxSubject) return line.join("").trim() || "Work of an agent";
  return `${line
    .slice(0, maxSubject - 1)
    .join("")
    .trim()}…`;
}

const firstLine = (text: string): string =>
  text
    .split("\n")
    .find((line) => line.trim() !== "")
    ?.trim() ?? "";
