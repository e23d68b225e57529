import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runPython, runTypeScript } from "../../scripts/vectors/engines.ts";
import { inverseDisagreement } from "../../scripts/vectors/inverse.ts";
import { readVectorFile } from "../../scripts/vectors/vectorFile.ts";
import { disagreement } from "../../scripts/vectors/verdict.ts";

const file = fileURLToPath(new URL("../fixtures/vectors/aipatch.json", import.meta.url));

describe("the vectors of the format", () => {
  const vectors = readVectorFile(file);
  const pythonOutcomes = runPython(file);

  it("are at least 200", () => {
    expect(vectors.length).toBeGreaterThanOrEqual(200);
  });

  it.each(vectors.map((vector, at) => ({ vector, at })))("$vector.name", async ({ vector, at }) => {
    const typescript = await runTypeScript(vector);
    const python = pythonOutcomes[at];

    expect(disagreement(vector, typescript)).toBeNull();
    expect(await inverseDisagreement(vector, typescript)).toBeNull();
    expect(python).toEqual(typescript);
  });
});
