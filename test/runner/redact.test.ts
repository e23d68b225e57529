import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedactor } from "../../apps/agent-runner/redact.ts";
import { createHoldback } from "../../apps/agent-runner/runs/holdback.ts";

const key = "sk-ant-Öl/key+0001?x";
const redactor = createRedactor({ API_KEY: key });

/** How a program may print a value, by name. */
const forms: Record<string, (value: string) => string> = {
  "as it is": (value) => value,
  "in a JSON string": (value) => JSON.stringify({ value }),
  "in hexadecimal": (value) => Buffer.from(value).toString("hex"),
  "in upper-case hexadecimal": (value) => Buffer.from(value).toString("hex").toUpperCase(),
  "in a URL": (value) => `https://example.com/?key=${encodeURIComponent(value)}`,
  "in a URL with lower-case escapes": (value) =>
    encodeURIComponent(value).replace(/%../g, (escaped) => escaped.toLowerCase()),
  "in base64": (value) => Buffer.from(value).toString("base64"),
  "in base64 after one other byte": (value) => Buffer.from(`x${value}yz`).toString("base64"),
  "in base64 after two other bytes": (value) => Buffer.from(`xy${value}z`).toString("base64"),
  "in base64url": (value) => Buffer.from(`x${value}`).toString("base64url"),
};

describe("a secret", () => {
  it.each(Object.keys(forms))("is masked %s", (name) => {
    const printed = forms[name]?.(key) ?? "";

    const masked = redactor.text(`before ${printed} after`);

    expect(masked).toContain("[secret:API_KEY]");
    expect(masked).toMatch(/^before .* after$/);
    for (const form of Object.values(forms)) expect(masked).not.toContain(form(key));
  });

  it("is masked in every string of a value, names of fields included", () => {
    expect(redactor.json({ [key]: [1, null, { deep: `a ${key}` }] })).toEqual({
      "[secret:API_KEY]": [1, null, { deep: "a [secret:API_KEY]" }],
    });
  });

  it("of several lines is masked line by line", () => {
    const lines = ["-----BEGIN KEY-----", "MIIBOgIBAAJBAKj34GkxFhD9", "0vcNLYLInFEX6Ppy1tPf9Cnz"];
    const masked = createRedactor({ PEM: lines.join("\n") }).text(`    ${lines.join("\r\n    ")}`);

    for (const line of lines) expect(masked).not.toContain(line);
  });

  it("shorter than six characters masks nothing", () => {
    expect(createRedactor({ PIN: "12345" }).text("12345")).toBe("12345");
  });

  it("is found in bytes that are not text", () => {
    const bytes = Buffer.concat([Buffer.from([0, 255]), Buffer.from(key), Buffer.from([255])]);

    expect(redactor.findIn(bytes)).toBe("API_KEY");
    expect(redactor.bytes(bytes).includes(key)).toBe(false);
    expect(redactor.findIn(Buffer.from([0, 1, 2]))).toBe(null);
  });
});

describe("a text that comes in pieces", () => {
  it("never shows a secret, wherever it is cut", () => {
    const secret = fc.string({ minLength: 6, maxLength: 12, unit: fc.constantFrom("a", "b", "c") });
    const parts = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c", " ") }), {
      maxLength: 4,
    });
    const cuts = fc.array(fc.nat(60), { maxLength: 8 });
    fc.assert(
      fc.property(secret, parts, cuts, (value, around, at) => {
        const text = around.join(value);
        const held = createHoldback(createRedactor({ KEY: value }));
        const ends = [...at.map((cut) => Math.min(cut, text.length)), text.length].sort(
          (a, b) => a - b,
        );

        let start = 0;
        let shown = "";
        for (const end of ends) {
          shown += held.push(text.slice(start, end));
          start = end;
        }
        shown += held.flush();

        expect(shown).not.toContain(value);
        expect(shown.replaceAll("[secret:KEY]", value)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("without a secret comes out as it went in", () => {
    const held = createHoldback(createRedactor({ KEY: "abcdef" }));

    expect(held.push("xabc")).toBe("x");
    expect(held.push("dxx")).toBe("abcdxx");
    expect(held.push("ab") + held.flush()).toBe("ab");
  });
});
