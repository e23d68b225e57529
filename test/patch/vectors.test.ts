import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runPython, runTypeScript } from "../../scripts/vectors/engines.ts";
import { inverseDisagreement } from "../../scripts/vectors/inverse.ts";
import { readVectorFile } from "../../scripts/vectors/vectorFile.ts";
import { disagreement } from "../../scripts/vectors/verdict.ts";

const vectorFiles = ["aipatch.json", "files.json"].map((name) =>
  fileURLToPath(new URL(`../fixtures/vectors/${name}`, import.meta.url)),
);

describe.each(vectorFiles)("the vectors of %s", (file) => {
  const vectors = readVectorFile(file);
  const pythonOutcomes = runPython(file);

  it.each(vectors.map((vector, at) => ({ vector, at })))("$vector.name", async ({ vector, at }) => {
    const typescript = await runTypeScript(vector);
    const python = pythonOutcomes[at];

    expect(disagreement(vector, typescript)).toBeNull();
    expect(await inverseDisagreement(vector, typescript)).toBeNull();
    expect(python).toEqual(typescript);
  });
});
