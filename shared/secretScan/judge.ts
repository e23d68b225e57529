import type { SecretRule } from "./rules.ts";

/** Whether a match of a rule is a secret, and not an example, a reference or a word. */
export function isSecret(value: string, { minEntropy = 0, isGeneric }: SecretRule): boolean {
  if (entropyOf(value) < minEntropy || isExample(value)) return false;
  return !isGeneric || !isHarmless(value);
}

/** Bits a character, by how often each stands in the text (Shannon). */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) {
    const share = count / text.length;
    bits -= share * Math.log2(share);
  }
  return bits;
}

const examples =
  /example|sample|placeholder|changeme|change[_-]me|replace[_-]?me|your[_-]|dummy|redacted|not[_-]?a[_-]?real|x{5,}|\*{3,}|\.{3}|0{8,}|12345678|abcdefgh|deadbeef/i;

const isExample = (value: string): boolean => examples.test(value);

/** What people write beside a name such as `password` without giving one away. */
function isHarmless(value: string): boolean {
  if (/[<>{}$%()[\];\\]|&&|\|\|/.test(value)) return true;
  if (/^(?:https?:|file:|data:|\/|\.\/|~\/|@|#|--)/i.test(value)) return true;
  // A member of something, a path, a type, a file, a media type.
  if (/^[A-Za-z_]+(?:[.:/|][A-Za-z_-]+)+$/.test(value)) return true;
  if (isWords(value)) return true;
  return kindsOf(value) < 2;
}

/** Names are words, joined by case or by a mark: `accessTokenUrl`, `access-token-url`, `ACCESS_TOKEN_2`. */
function isWords(value: string): boolean {
  const words = value.split(/[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])/).filter((word) => word !== "");
  return (
    words.every((word) =>
      /^(?:[A-Z]?[a-z]{1,20}|[A-Z]{1,20}|[A-Za-z][a-z]{1,19}\d{0,3}|\d{1,4})$/.test(word),
    ) &&
    words.some((word) => /[aeiouy]/i.test(word)) &&
    averageLength(words) >= 3
  );
}

const averageLength = (words: readonly string[]): number =>
  words.join("").length / Math.max(words.length, 1);

/** Lower case, upper case, digits, marks. */
const kindsOf = (value: string): number =>
  [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length;
