import type { AgentErrorKind } from "../../../shared/contracts/agentEvent.ts";
import { kindOfStatus, kindOfText } from "./errorKinds.ts";

export type Failure = { kind: AgentErrorKind; status: number | null; message: string };

const statusInText =
  /\b(?:HTTP|status(?:[ _]?code)?|code|error)["':\s]*([45]\d\d)\b|[("]([45]\d\d)[) ]|^([45]\d\d) /i;

const words: readonly [RegExp, AgentErrorKind][] = [
  [/usage.?limit/i, "quota"],
  [/rate.?limit|too many requests/i, "rate_limit"],
  [/unauthori[sz]ed|authenticat|invalid api key|api key .*(missing|invalid)|log ?in/i, "auth"],
  [/forbidden/i, "forbidden"],
  [/overloaded|high demand|server.?error|unavailable/i, "overloaded"],
  [/max(imum)?( number of)? turns|turn.?limit/i, "turn_limit"],
];

/** What went wrong, where there is a text alone that an agent made of it. */
export function failureOfText(message: string): Failure {
  const found = statusInText.exec(message);
  const status = Number(found?.[1] ?? found?.[2] ?? found?.[3] ?? 0);
  if (status > 0) return { kind: kindOfStatus(status, message), status, message };
  const kind = words.find(([pattern]) => pattern.test(message))?.[1] ?? kindOfText(message);
  return { kind, status: null, message };
}
