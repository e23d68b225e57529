import type { Notice } from "../task.ts";

/** Sends a notice to its address. A failure is an answer, never a throw. */
export type Callbacks = {
  send(notice: Notice): Promise<{ kind: "delivered" } | { kind: "failed"; because: string }>;
};
