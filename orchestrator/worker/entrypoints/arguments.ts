import type { z } from "zod";
import { SwitchyardError } from "../../../shared/errors.ts";

/** Arguments of a call from another worker, checked like any input. */
export function parseArguments<T extends z.ZodType>(schema: T, input: unknown[]): z.output<T> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [position = 0, ...path] = issue?.path ?? [];
  const where = path.length === 0 ? `argument ${Number(position) + 1}` : path.join(".");
  throw new SwitchyardError("invalid_request", `${where}: ${issue?.message ?? "is not valid"}`);
}
