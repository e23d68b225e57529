import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = path.join(import.meta.dirname, "../..");
const worker = "orchestrator/worker";
const use = (from: string) => `import { thing } from "${from}";\nexport const planted = thing;`;

/** A folder, what is planted there, and the rule that must refuse it. */
const violations: [folder: string, code: string, rule: string][] = [
  [`${worker}/domain`, use("../database/schema.ts"), "noRestrictedImports"],
  [`${worker}/domain`, use("../services/tasks/createTask.ts"), "noRestrictedImports"],
  [`${worker}/domain`, use("drizzle-orm"), "noRestrictedImports"],
  [`${worker}/domain`, "export const planted = Date.now();", "noRestrictedGlobals"],
  [`${worker}/domain`, "export const planted = Math.random();", "argument"],
  [`${worker}/domain`, 'export const planted = fetch("/");', "noRestrictedGlobals"],
  [`${worker}/services/tasks`, use("../../database/taskStore.ts"), "noRestrictedImports"],
  [`${worker}/services/tasks`, use("../../compose.ts"), "noRestrictedImports"],
  [`${worker}/services/tasks`, use("../ai-providers/router.ts"), "noRestrictedImports"],
  [`${worker}/services/tasks`, use("./vendor/adapter.ts"), "noRestrictedImports"],
  [`${worker}/services/tasks`, use("cloudflare:workers"), "noRestrictedImports"],
  [`${worker}/services/runners/http`, use("../../tasks/createTask.ts"), "noRestrictedImports"],
  [`${worker}/database`, use("../services/tasks/createTask.ts"), "noRestrictedImports"],
  [`${worker}/platform`, use("../database/schema.ts"), "noRestrictedImports"],
  [`${worker}/entrypoints`, use("../database/taskStore.ts"), "noRestrictedImports"],
  [`${worker}/durable`, use("../platform/ids.ts"), "noRestrictedImports"],
  ["shared/contracts", use("../../orchestrator/worker/domain/task.ts"), "noRestrictedImports"],
  ["shared/patch", use("hono"), "noRestrictedImports"],
  ["shared/patch", use("@cloudflare/containers"), "noRestrictedImports"],
  ["shared/patch", use("cloudflare:workers"), "noRestrictedImports"],
  ["shared/containers", use("hono"), "noRestrictedImports"],
  ["shared/containers", use("../../orchestrator/worker/env.ts"), "noRestrictedImports"],
  ["apps/agent-runner", use("../../orchestrator/worker/domain/task.ts"), "noRestrictedImports"],
  [`${worker}/services/tasks`, 'export const planted = console.log("x");', "noConsole"],
  [`${worker}/services/tasks`, "export const planted = (x: any) => x;", "noExplicitAny"],
];
const allowed = [`${worker}/services/tasks`, use("../../domain/states.ts")] as const;

const planted = [...violations.map(([folder, code]) => [folder, code] as const), allowed].map(
  ([folder, code], index) => ({ file: path.join(root, folder, `planted${index}.ts`), code }),
);
let diagnostics: { file: string; text: string }[] = [];

beforeAll(() => {
  for (const { file, code } of planted) writeFileSync(file, `${code}\n`);
  const { stdout } = spawnSync(
    path.join(root, "node_modules/.bin/biome"),
    ["lint", "--reporter=json", "--max-diagnostics=none", ...planted.map(({ file }) => file)],
    { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  const report = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { diagnostics: object[] };
  diagnostics = report.diagnostics.map((diagnostic) => ({
    file: JSON.stringify(Reflect.get(diagnostic, "location")),
    text: JSON.stringify(diagnostic),
  }));
});

afterAll(() => {
  for (const { file } of planted) rmSync(file, { force: true });
});

const saidOf = (index: number) =>
  diagnostics.filter(({ file }) => file.includes(`planted${index}.ts`)).map(({ text }) => text);

describe("the layers", () => {
  it.each(violations.map(([folder, code, rule], index) => ({ folder, code, rule, index })))(
    "refuse in $folder by $rule: $code",
    ({ rule, index }) => {
      expect(saidOf(index).join()).toContain(rule);
    },
  );

  it("allow what they are for", () => {
    expect(saidOf(violations.length)).toEqual([]);
  });
});
