import { readFileSync } from "node:fs";
import { z } from "zod";
import { SwitchyardError } from "../../shared/errors.ts";

/** The secrets by name. What the file holds is in no message. */
export function readMaskFile(path: string): Record<string, string> {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // biome-ignore lint/style/useErrorCause: the parser's own message shows a part of what the file holds.
    throw new SwitchyardError(
      "invalid_request",
      `--mask ${path}: must be a file with one JSON object of texts.`,
    );
  }
}
