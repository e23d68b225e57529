import fc from "fast-check";

/** Text drawn from few lines, so that patches meet, and guards are found once, twice or never. */
export const mostly = <T>(usual: T, weight: number, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });

export const line = fc.constantFrom(
  "a",
  "b",
  "",
  "  x",
  "a\rb",
  "é",
  "日本",
  "}",
  "\u2028",
  "-- y",
);
const ending = fc.constantFrom("\n", "\n", "\r\n");

export const mixedLines = fc
  .array(fc.tuple(line, ending), { maxLength: 7 })
  .map((lines) => lines.map((one) => one.join("")).join(""));
const uniformLines = fc
  .tuple(fc.array(line, { maxLength: 7 }), ending)
  .map(([lines, end]) => lines.map((one) => one + end).join(""));

/** Text with or without a byte order mark and a final newline. */
export const fileText = fc
  .tuple(fc.constantFrom("", "", "", "\ufeff"), fc.oneof(mixedLines, uniformLines), fc.boolean())
  .map(([mark, text, isCut]) => mark + (isCut ? text.replace(/\r?\n$/, "") : text));

export const fileBytes = fc.oneof(
  { weight: 8, arbitrary: fileText.map((text) => Buffer.from(text, "utf8")) },
  {
    weight: 2,
    arbitrary: fileText.map((text) => Buffer.from(text.replace(/[^\n\r -~]/g, "é"), "latin1")),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("a\0b\n", "\xff\xfea\0", `${"a".repeat(8_000)}\0\n`)
      .map((text) => Buffer.from(text, "latin1")),
  },
);
