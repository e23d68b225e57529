/** The small projects that the scenarios work on. The caller makes them repositories (`git init`). */
import fs from "node:fs";
import path from "node:path";

const OLD_SOURCE = "export function add(a, b) {\n  return a + b;\n}\n";
export const TEST_SOURCE =
  'import test from "node:test";\nimport assert from "node:assert/strict";\n' +
  'import { sum } from "../src/math.js";\n\ntest("sum", () => assert.equal(sum(2, 3), 5));\n';

/** The project of the `edit` scenario. */
export function makeRepo(dir) {
  writeFiles(dir, {
    "src/math.js": OLD_SOURCE,
    "package.json": '{ "name": "sample", "type": "module", "scripts": { "test": "node --test" } }\n',
    "README.md": "# sample\n",
    "test/.gitkeep": "", // Copilot's create tool does not make folders
  });
}

export const FREE_SHIPPING = { file: "src/shipping.js", wrong: "subtotalCents > FREE_FROM_CENTS", right: "subtotalCents >= FREE_FROM_CENTS" };

/** The project of the `fix` scenario: a web shop's shipping rates, with one test that fails. */
export function makeFailingRepo(dir) {
  writeFiles(dir, {
    "package.json": `${JSON.stringify({ name: "parcel-rates", version: "1.4.0", private: true, type: "module", scripts: { test: "node --test" } }, null, 2)}\n`,
    "README.md": `# parcel-rates

Shipping rates of the shop. Amounts are cents.

- Orders of 50.00 and more ship free.
- Below that, 4.90 for the first kilogram and 1.20 for each one begun after it.

Run the tests with \`npm test\`.
`,
    ".gitignore": "node_modules/\n",
    "src/shipping.js": `export const FREE_FROM_CENTS = 5000;

const FIRST_KILOGRAM_CENTS = 490;
const NEXT_KILOGRAM_CENTS = 120;

/** What a customer pays for the shipping of one order. */
export function shippingCents({ subtotalCents, grams }) {
  if (${FREE_SHIPPING.wrong}) return 0;
  const kilograms = Math.max(1, Math.ceil(grams / 1000));
  return FIRST_KILOGRAM_CENTS + (kilograms - 1) * NEXT_KILOGRAM_CENTS;
}
`,
    "src/format.js": `/** "1234" cents as "12.34". */
export const formatCents = (cents) => (cents / 100).toFixed(2);
`,
    "test/shipping.test.js": `import assert from "node:assert/strict";
import test from "node:test";
import { formatCents } from "../src/format.js";
import { shippingCents } from "../src/shipping.js";

test("a light parcel costs the base rate", () => {
  assert.equal(shippingCents({ subtotalCents: 1999, grams: 800 }), 490);
});

test("every kilogram begun after the first is charged", () => {
  assert.equal(shippingCents({ subtotalCents: 1999, grams: 2100 }), 730);
});

test("an order of exactly 50.00 ships free", () => {
  assert.equal(shippingCents({ subtotalCents: 5000, grams: 800 }), 0);
});

test("amounts are shown with two digits", () => {
  assert.equal(formatCents(490), "4.90");
});
`,
  });
}

function writeFiles(dir, files) {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    fs.writeFileSync(path.join(dir, name), text);
  }
}
