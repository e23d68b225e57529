import { kindOfStatus } from "../errorKinds.ts";
import { type Failure, failureOfText } from "../failureText.ts";
import type { AcpAgent } from "./acpConfig.ts";

const authRequired = -32_000;

/** What an error answer of an agent means: its code, then what the configuration knows, then its words. */
export function failureOfError(
  { failure }: AcpAgent,
  { code, message, data }: { code: number; message: string; data?: unknown },
): Failure {
  const told = data === undefined || data === null ? "" : JSON.stringify(data);
  const text = told === "" || message.includes(told) ? message : `${message} ${told}`;
  if (code === authRequired) return { kind: "auth", status: null, message: text };
  const isStatus = code >= 400 && code <= 599;
  if (isStatus) return { kind: kindOfStatus(code, text), status: code, message: text };
  const known = failure.errorData.find(({ path, equals }) => fieldAt(data, path) === equals);
  return { ...failureOfText(text), ...(known === undefined ? {} : { kind: known.kind }) };
}

/** The value at a place in a JSON value; undefined where there is none. */
export function fieldAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, name) => {
    if (typeof at !== "object" || at === null) return undefined;
    return Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined;
  }, value);
}

const knownTells = [
  { path: "codex.threadStatus.type", equals: "systemError" },
  { path: "jetbrains.air.sessionFailure.severity", equals: "error" },
];

/** What the extension fields of a message tell of a turn that has failed; null where they tell of none. */
export function tellIn({ failure }: AcpAgent, meta: unknown): Failure | null {
  for (const { path, equals } of [...knownTells, ...failure.tells]) {
    const value = fieldAt(meta, path);
    if (value === undefined || value === null || value === false) continue;
    if (equals !== undefined && String(value) !== equals) continue;
    return failureOfTell(fieldAt(meta, path.slice(0, path.lastIndexOf("."))) ?? value);
  }
  return null;
}

function failureOfTell(told: unknown): Failure {
  const found = failureOfText(JSON.stringify(told));
  const words = [fieldAt(told, "title"), fieldAt(told, "message")];
  const message = words.find((word) => typeof word === "string");
  return message === undefined ? found : { ...found, message };
}
