/**
 * Masks known secret values in all that leaves the runner: as they are, and in the forms that a program gives
 * them in passing (JSON strings, base64 at any alignment, base64url, hexadecimal, URLs).
 */
export type Redactor = {
  text(text: string): string;
  /** The same for every string inside a JSON value, names of fields included. */
  json<Value>(value: Value): Value;
  /** The name of a secret that stands in these bytes, null when there is none. */
  findIn(bytes: Uint8Array): string | null;
  bytes(bytes: Uint8Array): Buffer;
  /** How many characters at the end of a text may be the start of a secret whose rest is yet to come. */
  openEnd(text: string): number;
};

/** A shorter value would mask ordinary words. */
const shortestSecret = 6;
const shortestLine = 16;

/** Secret values by their names. */
export type Secrets = Readonly<Record<string, string>>;

/** Of several groups each value is masked, also where two have one name; a value has the name it is first found by. */
export function createRedactor(...groups: readonly Secrets[]): Redactor {
  const names = namesByForm(groups.flatMap((secrets) => Object.entries(secrets)));
  const forms = [...names.keys()].sort((one, other) => other.length - one.length);
  const pattern = forms.length === 0 ? /(?!)/g : new RegExp(forms.map(literally).join("|"), "g");
  const beginnings = beginningsOf(forms);
  const mask = (form: string) => `[secret:${names.get(form)}]`;
  const text = (value: string) => value.replace(pattern, mask);

  const inBytes = new Map([...names].map(([form, name]) => [toLatin1(form), name]));
  const bytePattern =
    forms.length === 0
      ? /(?!)/g
      : new RegExp(forms.map((form) => literally(toLatin1(form))).join("|"), "g");
  return {
    text,
    json: (value) => mapStrings(value, text),
    findIn: (bytes) => {
      const [found] = latin1(bytes).match(bytePattern) ?? [];
      return found === undefined ? null : (inBytes.get(found) ?? null);
    },
    bytes: (bytes) =>
      Buffer.from(
        latin1(bytes).replace(bytePattern, (form) => `[secret:${inBytes.get(form)}]`),
        "latin1",
      ),
    openEnd: (value) =>
      beginnings.get(value.at(-1) ?? "")?.find((one) => value.endsWith(one))?.length ?? 0,
  };
}

function namesByForm(secrets: readonly [name: string, value: string][]): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, value] of secrets)
    for (const form of formsOf(value)) if (!names.has(form)) names.set(form, name);
  return names;
}

/** Of a value of several lines (a private key) every longer line counts by itself: programs indent and cut. */
function formsOf(value: string): string[] {
  if (value.length < shortestSecret) return [];
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const longLines = lines.length > 1 ? lines.filter((line) => line.length >= shortestLine) : [];
  return [value, ...longLines].flatMap((text) => {
    const bytes = Buffer.from(text, "utf8");
    const hex = bytes.toString("hex");
    const url = encodeURIComponent(text.toWellFormed());
    const base64 = base64Forms(bytes);
    return [
      text,
      JSON.stringify(text).slice(1, -1),
      url,
      url.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
      url.replaceAll("%20", "+"),
      hex,
      hex.toUpperCase(),
      ...base64,
      ...base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
    ];
  });
}

/** Base64 of bytes that start at offset 0, 1 or 2 of a group, without the characters shared with neighbours. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const start = offset === 0 ? 0 : offset + 1;
    const sharedBits = ((offset + bytes.length) * 8) % 6;
    const end = encoded.replace(/=+$/, "").length - (sharedBits === 0 ? 0 : 1);
    return encoded.slice(start, end);
  });
}

/** All that a form can begin with and not be whole, by its last character; the longest first. */
function beginningsOf(forms: readonly string[]): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const form of forms)
    for (let length = 1; length < form.length; length += 1) {
      const last = form.charAt(length - 1);
      found.set(last, (found.get(last) ?? new Set()).add(form.slice(0, length)));
    }
  const longestFirst = (some: Set<string>) =>
    [...some].sort((one, other) => other.length - one.length);
  return new Map([...found].map(([last, some]) => [last, longestFirst(some)]));
}

function mapStrings<Value>(value: Value, change: (text: string) => string): Value {
  if (typeof value === "string") return change(value) as Value;
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change)) as Value;
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([name, item]) => [
    change(name),
    mapStrings(item, change),
  ]);
  return Object.fromEntries(entries) as Value;
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
const toLatin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
