/** What can be told of a CLI's output without its contents: fields by kind of event, and how it ended. */
export type Shape = {
  exitCode: number | null;
  /** Fields as paths with the type of their value, by type of event. */
  types: Record<string, string[]>;
};

export type ShapesOfAgent = { version: string; cases: Record<string, Shape> };

const deepest = 6;
/** A key that is no field's name: an id, a path, the name of a model. */
const isName = /^[A-Za-z_][A-Za-z0-9_]*$/;

type Fields = Record<string, unknown>;

export function shapeOf(stdout: string, exitCode: number | null): Shape {
  const types = new Map<string, Set<string>>();
  for (const line of stdout.split("\n").filter((one) => one.trim() !== "")) {
    const value = parse(line);
    const type = value === null ? "(no JSON object)" : typeOf(value);
    const fields = types.get(type) ?? new Set();
    if (value !== null) collect(value, "", fields, 0);
    types.set(type, fields);
  }
  return { exitCode, types: sorted(types) };
}

/** Of several runs of the same case: all that any of them has shown. */
export function unionOf(shapes: readonly Shape[]): Shape {
  const types = new Map<string, Set<string>>();
  for (const shape of shapes)
    for (const [type, fields] of Object.entries(shape.types))
      types.set(type, new Set([...(types.get(type) ?? []), ...fields]));
  return { exitCode: shapes.at(-1)?.exitCode ?? null, types: sorted(types) };
}

/** What is not as it was, one line each: `+` new, `-` gone, `~` changed. */
export function driftOf(was: Shape, is: Shape): string[] {
  const drift = was.exitCode === is.exitCode ? [] : [`~ exit ${was.exitCode} → ${is.exitCode}`];
  const [before, now] = [Object.keys(was.types), Object.keys(is.types)];
  drift.push(...without(now, before).map((type) => `+ type ${type}`));
  drift.push(...without(before, now).map((type) => `- type ${type}`));
  for (const [type, fields] of Object.entries(is.types)) {
    const known = was.types[type];
    if (known === undefined) continue;
    drift.push(...without(fields, known).map((field) => `+ field ${type} ${field}`));
    drift.push(...without(known, fields).map((field) => `- field ${type} ${field}`));
  }
  return drift;
}

const without = (some: readonly string[], others: readonly string[]): string[] =>
  some.filter((one) => !others.includes(one));

const sorted = (types: ReadonlyMap<string, ReadonlySet<string>>): Record<string, string[]> =>
  Object.fromEntries(
    [...types]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([type, fields]) => [type, [...fields].sort()]),
  );

function parse(line: string): Fields | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Its own type, and that of the item that it is about where it has one. */
function typeOf(value: Fields): string {
  const item = isObject(value.item) ? value.item.type : undefined;
  const parts = [value.type, value.subtype, item].filter((part) => typeof part === "string");
  return parts.length === 0 ? "(no type)" : parts.join("/");
}

function collect(value: unknown, path: string, fields: Set<string>, depth: number): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, `${path}[]`, fields, depth + 1);
    return;
  }
  if (!isObject(value)) {
    fields.add(`${path}: ${value === null ? "null" : typeof value}`);
    return;
  }
  if (depth >= deepest) return;
  for (const [key, inner] of Object.entries(value)) {
    const name = isName.test(key) ? key : "*";
    collect(inner, path === "" ? name : `${path}.${name}`, fields, depth + 1);
  }
}
