import type { IncomingMessage, ServerResponse } from "node:http";
import { SwitchyardError } from "../../../shared/errors.ts";

/** One call of a route. `id` is the variable part of its path. */
export type Call = {
  id: string;
  query: URLSearchParams;
  request: IncomingMessage;
  response: ServerResponse;
};

export type Route = {
  method: "GET" | "PUT" | "POST";
  /** Segments of the path; `:id` stands for any one. */
  path: string;
  /** The value of the answer; undefined when the answer has been given already. */
  handle(call: Call): Promise<unknown>;
};

export type Match = { route: Route; id: string };

export function findRoute(routes: readonly Route[], method: string, pathname: string): Match {
  const segments = pathname.split("/");
  const onPath = routes.flatMap((route) => {
    const id = match(route.path.split("/"), segments);
    return id === null ? [] : [{ route, id }];
  });
  const found = onPath.find(({ route }) => route.method === method);
  if (found !== undefined) return found;
  if (onPath.length === 0)
    throw new SwitchyardError("route_not_found", `This runner has no ${pathname}.`);
  const methods = onPath.map(({ route }) => route.method).join(", ");
  throw new SwitchyardError("method_not_allowed", `${pathname} takes ${methods} only.`);
}

/** The id in the path, "" where the route has none, null where the path is another. */
function match(pattern: readonly string[], segments: readonly string[]): string | null {
  if (pattern.length !== segments.length) return null;
  let id = "";
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? "";
    if (expected === ":id") id = segment;
    else if (expected !== segment) return null;
  }
  return id;
}
