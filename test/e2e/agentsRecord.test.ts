import { describe, expect, it } from "vitest";
import { driftOf, shapeOf, unionOf } from "../../scripts/agents-record/shape.ts";
import { script } from "./kit/scripts.ts";

const lines = (...values: unknown[]) => values.map((value) => JSON.stringify(value)).join("\n");
const was = shapeOf(
  lines(
    { type: "init", model: "m" },
    { type: "item", item: { type: "patch", files: [{ path: "a" }] } },
  ),
  0,
);

describe("what is told of a CLI's output", () => {
  it("is its types of events, their fields and the exit code, without contents", () => {
    expect(was).toEqual({
      exitCode: 0,
      types: {
        init: ["model: string", "type: string"],
        "item/patch": ["item.files[].path: string", "item.type: string", "type: string"],
      },
    });
    expect(shapeOf(lines({ type: "u", models: { "gpt-5.5": { n: 1 } } }), 0).types).toEqual({
      u: ["models.*.n: number", "type: string"],
    });
    expect(shapeOf("a warning\n", 1).types).toEqual({ "(no JSON object)": [] });
  });

  it("drifts by a type, a field, the type of a value or the exit code", () => {
    const is = shapeOf(lines({ type: "init", model: null }, { type: "stop" }), 3);

    expect(driftOf(was, was)).toEqual([]);
    expect(driftOf(was, is)).toEqual([
      "~ exit 0 → 3",
      "+ type stop",
      "- type item/patch",
      "+ field init model: null",
      "- field init model: string",
    ]);
  });

  it("is of several runs all that any has shown", () => {
    const union = unionOf([was, shapeOf(lines({ type: "init", cwd: "/" }), 0)]);

    expect(union.types.init).toEqual(["cwd: string", "model: string", "type: string"]);
    expect(driftOf(union, union)).toEqual([]);
  });
});

describe("npm run agents:record", () => {
  it("finds the installed Gemini CLI as it was recorded", async () => {
    const { code, stdout } = await script("agentsRecord", ["--agent", "gemini", "--case", "plain"]);

    expect(stdout).toMatch(
      /^gemini [\d.]+, against the record of [\d.]+\n {2}plain +exit 0, 3 types of events, as recorded\n$/,
    );
    expect(code).toBe(0);
  });

  it("called wrongly says how to call it", async () => {
    const { code, stderr } = await script("agentsRecord", ["--agent", "cursor"]);

    expect(code).toBe(2);
    expect(stderr).toContain(
      '--agent must be one of claude-code, gemini, codex, copilot, not "cursor"',
    );
    expect(stderr).toContain("usage: npm run agents:record");
  });
});
