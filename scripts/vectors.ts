import { parseArgs } from "node:util";
import { EngineError, type EngineOutcome, runPython, runTypeScript } from "./vectors/engines.ts";
import { inverseDisagreement } from "./vectors/inverse.ts";
import { readVectorFile, VectorFileError } from "./vectors/vectorFile.ts";
import { disagreement, isSameOutcome, summaryOf } from "./vectors/verdict.ts";

/**
 * Runs vector files through both patch engines: `node scripts/vectors.ts [--json] FILE...`
 * Exit status: 0 when both engines agree with every vector and with each other, 1 when not, 2 when a file cannot be
 * used or holds no vectors.
 */
type Verdict = {
  file: string;
  name: string;
  problems: string[];
  typescript: EngineOutcome;
  python: EngineOutcome;
};

async function judgeFile(file: string): Promise<Verdict[]> {
  const vectors = readVectorFile(file);
  const pythonOutcomes = runPython(file);
  return Promise.all(
    vectors.map(async (vector, at) => {
      const typescript = await runTypeScript(vector);
      const python = pythonOutcomes[at];
      if (python === undefined) throw new EngineError(`the Python engine left out ${vector.name}`);
      const problems = [
        prefixed("TypeScript", disagreement(vector, typescript)),
        prefixed("Python", disagreement(vector, python)),
        await inverseDisagreement(vector, typescript),
        isSameOutcome(typescript, python) ? null : "the engines disagree with each other",
      ].filter((problem) => problem !== null);
      return { file, name: vector.name, problems, typescript, python };
    }),
  );
}

function prefixed(engine: string, problem: string | null): string | null {
  return problem === null ? null : `${engine}: ${problem}`;
}

function printVerdict({ name, problems, typescript, python }: Verdict): void {
  console.log(`${problems.length === 0 ? "ok    " : "FAILED"} ${JSON.stringify(name)}`);
  console.log(`         typescript: ${summaryOf(typescript)}`);
  console.log(`         python:     ${summaryOf(python)}`);
  for (const problem of problems) console.log(`         ${problem}`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { json: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  if (positionals.length === 0) throw new VectorFileError("name at least one vector file");
  const verdicts: Verdict[] = [];
  for (const file of positionals) verdicts.push(...(await judgeFile(file)));

  const failed = verdicts.filter(({ problems }) => problems.length > 0).length;
  const summary = { files: positionals.length, vectors: verdicts.length, failed };
  if (values.json) console.log(JSON.stringify({ summary, vectors: verdicts }));
  else {
    verdicts.forEach(printVerdict);
    console.log(`${summary.vectors} vectors, ${summary.vectors - failed} agree, ${failed} failed`);
  }
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isForeseen = error instanceof VectorFileError || error instanceof EngineError;
  const code = isForeseen ? "" : "vectors: ";
  console.error(`${code}${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
