import type { PatchFaultCode } from "../contracts/aiPatch.ts";

/** What is wrong with a value, before it is known whose fault that is. */
export type ShapeFault = { code: PatchFaultCode; message: string };
export type Check = (value: unknown, name: string) => ShapeFault[];
export type Field = { check: Check; required?: true };
export type Fields = Readonly<Record<string, Field>>;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object with these fields and no others. A field that is undefined counts as absent. */
export function objectOf(fields: Fields): Check {
  return (value, name) => {
    if (!isRecord(value)) return unsupported(name, "must be an object");
    const unknown = Object.keys(value)
      .filter((key) => !Object.hasOwn(fields, key) && value[key] !== undefined)
      .sort();
    return [
      ...unknown.map((key) => unexpected(memberName(name, shown(key)))),
      ...Object.entries(fields).flatMap(([key, field]) => checkField(value, key, field, name)),
    ];
  };
}

function checkField(
  value: Record<string, unknown>,
  key: string,
  { check, required }: Field,
  name: string,
): ShapeFault[] {
  const member = Object.hasOwn(value, key) ? value[key] : undefined;
  if (member !== undefined) return check(member, memberName(name, key));
  return required
    ? [{ code: "missing_field", message: `${memberName(name, key)} is missing` }]
    : [];
}

export const text: Check = (value, name) => {
  if (typeof value !== "string") return unsupported(name, "must be text");
  return value.isWellFormed()
    ? []
    : [{ code: "ill_formed_text", message: `${name} holds half a surrogate pair` }];
};

/** A path is text too, but what is wrong with it is `bad_path`, which another check says. */
export const pathText: Check = (value, name) =>
  typeof value === "string" ? [] : unsupported(name, "must be text");

export const wholeNumber: Check = (value, name) =>
  Number.isSafeInteger(value)
    ? []
    : [{ code: "not_an_integer", message: `${name} must be a whole number` }];

export const share: Check = (value, name) =>
  typeof value === "number" && value >= 0 && value <= 1
    ? []
    : unsupported(name, "must be a number from 0 to 1");

export function oneOf(
  values: readonly string[],
  code: PatchFaultCode = "schema_unsupported",
): Check {
  return (value, name) =>
    typeof value === "string" && values.includes(value)
      ? []
      : [{ code, message: `${name} must be one of ${values.join(", ")}` }];
}

export function hexDigits(length: number): Check {
  return (value, name) =>
    typeof value === "string" && value.length === length && /^[0-9a-f]*$/.test(value)
      ? []
      : unsupported(name, `must be ${length} lowercase hexadecimal digits`);
}

export function unsupported(name: string, message: string): ShapeFault[] {
  return [{ code: "schema_unsupported", message: name === "" ? message : `${name} ${message}` }];
}

function unexpected(name: string): ShapeFault {
  return { code: "unexpected_field", message: `${name} is not a field here` };
}

function memberName(name: string, key: string): string {
  return name === "" ? key : `${name}.${key}`;
}

/** Only a plain name is repeated to whoever reads the fault. */
function shown(key: string): string {
  return /^[A-Za-z0-9_-]{1,40}$/.test(key) ? key : "an unknown name";
}
