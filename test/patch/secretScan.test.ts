import { describe, expect, it } from "vitest";
import type { PatchSet } from "../../shared/contracts/aiPatch.ts";
import { findSecrets } from "../../shared/secretScan/findSecrets.ts";
import { secretRules } from "../../shared/secretScan/rules.ts";
import { scanText } from "../../shared/secretScan/scanText.ts";
import { secretSamples } from "./secretSamples.ts";

const samples = [1, 2, 3, 4, 5].flatMap((seed) => secretSamples(seed));
const found = (text: string) => scanText(text).map(({ rule }) => rule);

describe("the secret scan", () => {
  it("has a sample for every rule, and finds at least 95 of 100 of them by that rule", () => {
    const names = secretRules.map(({ name }) => name);
    expect(new Set(samples.map(({ rule }) => rule))).toEqual(new Set(names));

    const missed = samples.filter(({ rule, text }) => !found(text).includes(rule));

    expect(missed.length / samples.length).toBeLessThanOrEqual(0.05);
    // No rule as a whole is blind.
    for (const name of names)
      expect(missed.filter(({ rule }) => rule === name).length, name).toBeLessThan(
        samples.filter(({ rule }) => rule === name).length / 2,
      );
  });

  it("names the line, also between lines without an end", () => {
    const { text } = samples[0] ?? { text: "" };
    expect(scanText(`one\ntwo\n\n${text}\nfive`)).toEqual([{ rule: "aws-access-key", line: 4 }]);
    expect(scanText(`${"x ".repeat(50_000)}${text}`)).toEqual([
      { rule: "aws-access-key", line: 1 },
    ]);
  });

  it.each([
    ['const password = "";'],
    [`password: "${"$"}{{ secrets.DB_PASSWORD }}"`],
    ["token = process.env.API_TOKEN_OF_THE_SERVICE"],
    ['const tokenUrl = "https://login.example.com/oauth2/v2.0/token";'],
    ['secret: "your-secret-goes-here"'],
    ['password = "correct-horse-battery"'],
    ['apiKey: "changeme1234"'],
    ['tokenType: "application/x-www-form-urlencoded"'],
    ['"token": "identifierReference"'],
    ["DB_PASSWORD=$OTHER_PASSWORD"],
    [`-----${"BEGIN"} PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE`],
    [`if (line === "-----${"BEGIN"} PRIVATE KEY-----") return null;`],
    ["postgres://user:password@localhost/app"],
    [`${"AK"}IAIOSFODNN7EXAMPLE`],
    [`const task = "task-${"a1B2".repeat(12)}";`],
  ])("takes no word, name or example for a secret: %s", (text) => {
    expect(found(text)).toEqual([]);
  });

  it("takes as long for the most awkward text as for any", () => {
    const awkward = [
      ...secretRules.flatMap(({ keywords }) => keywords),
      ...[
        "password=",
        "password: '",
        `-----${"BEGIN"} PRIVATE KEY-----`,
        "Ab: ",
        "a://:",
        "eyJ.eyJ",
      ],
      ...["ey" + "J-", "AWS_SECRET_KEY ", "authorization: bearer ", "A".repeat(40)],
    ];
    const slow = awkward.filter((word) => {
      const text = word.repeat(Math.ceil(400_000 / word.length)).slice(0, 400_000);
      const startedAt = performance.now();
      scanText(text);
      return performance.now() - startedAt > 2_000;
    });

    expect(slow).toEqual([]);
  });
});

describe("a patch set that adds a secret", () => {
  const { text, secret } = samples[5] ?? { text: "", secret: "" };
  const set = (): PatchSet => ({
    schema: "aipatch/1",
    id: "ps_1",
    task_id: "task_1",
    mode: "exact",
    coordinates: "snapshot",
    base: {},
    files: {
      "src/a.ts": { op: "edit" },
      "conf/new.yml": { op: "create", content: { text: `a: 1\n${text}\n` } },
      "conf/base64.yml": { op: "create", content: { base64: btoa(`${text}\n`) } },
      "logo.png": { op: "create", content: { base64: btoa(`\0${text}`) } },
    },
    patches: [
      {
        task_id: "task_1",
        file: "src/a.ts",
        operation: "replace-block",
        start: 7,
        end: 7,
        block: `fine\nfine\n${text}\n`,
        expect: { block: "a line that goes away\n" },
        metadata: { provider: "gemini" },
      },
    ],
  });

  it("has a fault for each place, by rule, file and line, which says nothing of the secret", () => {
    const faults = findSecrets(set(), {});

    expect(faults).toEqual([
      {
        index: null,
        file: "conf/new.yml",
        code: "secret_found",
        message: "line 2 holds a secret (github-token)",
      },
      expect.objectContaining({ file: "conf/base64.yml", code: "secret_found" }),
      {
        index: 0,
        file: "src/a.ts",
        code: "secret_found",
        message: "line 3 of the block at line 7 holds a secret (github-token)",
      },
    ]);
    expect(JSON.stringify(faults)).not.toContain(secret.slice(4, 16));
  });

  it("is not refused for what it takes away", () => {
    const removing = set();
    removing.files = {};
    for (const patch of removing.patches)
      Object.assign(patch, { block: "fine\n", expect: { block: `${text}\n` } });

    expect(findSecrets(removing, {})).toEqual([]);
  });

  it("is let through where the project leaves out the path or the rule", () => {
    const files = (options: Parameters<typeof findSecrets>[1]) =>
      findSecrets(set(), options).map(({ file }) => file);

    expect(files({ ignorePaths: ["conf"] })).toEqual(["src/a.ts"]);
    expect(files({ ignoreRules: ["github-token"] })).toEqual([]);
    expect(files({ ignoreRules: ["npm-token"] })).toHaveLength(3);
  });
});
