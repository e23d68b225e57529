import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { RunnerRole } from "../../shared/contracts/runner.ts";
import { finishPatch, newFile, patchRequest, setOf } from "./kit/patchRuns.ts";
import { makeRepository, temporaryFolder } from "./kit/repositories.ts";
import { openRunner, spawnRunner } from "./kit/runners.ts";
import { finishRun, scriptRegistry, scriptRun } from "./kit/scriptAgent.ts";

const masked = {
  RUNNER_TOKEN: "token/of the+runner of agents",
  CALLBACK_SIGNING_SECRET: "whsec_c2VjcmV0IG9mIGNhbGxiYWNrcw==",
  ADMIN_TOKEN: "swy_admin-token-of-this-machine",
};

/** A file of the deployment, as `cat` would show it, and each secret in the forms that programs give it. */
const spilled = Object.entries(masked)
  .flatMap(([name, value]) => {
    const bytes = Buffer.from(value);
    const forms = [value, JSON.stringify(value), encodeURIComponent(value)];
    return [
      ...forms,
      bytes.toString("hex"),
      bytes.toString("base64"),
      bytes.toString("base64url"),
    ].map((form) => `${name}=${form}`);
  })
  .join("\n");

function expectNone(told: string): void {
  for (const value of Object.values(masked)) {
    const bytes = Buffer.from(value);
    for (const form of [
      value,
      encodeURIComponent(value),
      bytes.toString("hex"),
      bytes.toString("base64").slice(0, -4),
    ])
      expect(told).not.toContain(form);
  }
  for (const name of Object.keys(masked)) expect(told).toContain(`[secret:${name}]`);
}

const spill = () => {
  const file = join(temporaryFolder("deployment"), ".dev.vars");
  writeFileSync(file, spilled);
  return file;
};

it("a validation command that prints the secrets of the deployment shows none of them", async () => {
  const repository = makeRepository({ "a.txt": "one\n" });
  const opened = await openRunner({ role: "patches", repositories: [repository], masked });
  const commands = [{ name: "spills", argv: ["cat", spill()], timeoutMs: 20_000 }];

  const { report, events } = await finishPatch(
    opened,
    patchRequest(repository, setOf(repository, { "b.txt": newFile("new\n") }), {
      validation: { commands },
    }),
  );

  expect(report).toMatchObject({ validation: { status: "passed" } });
  expectNone(JSON.stringify(report));
  expectNone(JSON.stringify(events));
});

it("an agent that prints them shows none of them", async () => {
  const repository = makeRepository({ "a.txt": "one\n" });
  const opened = await openRunner({ repositories: [repository], registry: scriptRegistry, masked });
  const script = `say(fs.readFileSync(${JSON.stringify(spill())}, "utf8")); succeed();`;

  const { events } = await finishRun(opened, "exec_1", scriptRun(repository, script));

  expectNone(JSON.stringify(events));
});

it("a runner takes them from the file that --mask names", async () => {
  const repository = makeRepository({ "a.txt": "one\n" });
  const file = join(temporaryFolder("mask"), "mask.json");
  writeFileSync(file, JSON.stringify(masked));
  const role: RunnerRole = "patches";
  const opened = await spawnRunner({ role, repositories: [repository], flags: ["--mask", file] });
  const commands = [{ name: "spills", argv: ["cat", file], timeoutMs: 20_000 }];
  const set = setOf(repository, { "b.txt": newFile("new\n") });

  await opened.client.put(
    "/patches/ps_1",
    patchRequest(repository, set, { validation: { commands } }),
  );
  await opened.client.finished("/patches/ps_1");

  expectNone(JSON.stringify(await opened.client.patchResult("/patches/ps_1")));
});
