import { type ErrorCode, SwitchyardError } from "../../../shared/errors.ts";
import type { Redactor } from "../redact.ts";

/** An error as the report tells it. */
export function faultOf(error: unknown, redactor: Redactor): { code: ErrorCode; message: string } {
  if (error instanceof SwitchyardError)
    return { code: error.code, message: redactor.text(error.message) };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "internal", message: redactor.text(`The runner failed: ${message}`) };
}
