import { readAcpAgents } from "./agents/acp/acpConfig.ts";
import { readMaskFile } from "./maskFile.ts";
import { parseOptions, type RunnerOptions, usage } from "./options.ts";
import { startRunner } from "./startRunner.ts";

const parsed = parseOptions(process.argv.slice(2), process.env);
const token = process.env.SWITCHYARD_RUNNER_TOKEN ?? "";
delete process.env.SWITCHYARD_RUNNER_TOKEN;

if (parsed.kind === "wrong") refuse(parsed.message);
else if (token === "") refuse("the environment variable SWITCHYARD_RUNNER_TOKEN must hold a token");
else await run(parsed.options);

async function run(options: RunnerOptions): Promise<void> {
  const keepWorkspaces = process.env.SWITCHYARD_KEEP_WORKSPACES === "1";
  try {
    const masked = options.maskFile === null ? {} : readMaskFile(options.maskFile);
    const { acpAgentsFile } = options;
    const acpAgents = acpAgentsFile === null ? [] : readAcpAgents(acpAgentsFile);
    const runner = await startRunner({ ...options, token, masked, keepWorkspaces, acpAgents });
    const end = () => void runner.close().then(() => process.exit(0));
    process.on("SIGTERM", end);
    process.on("SIGINT", end);
    if (options.exitWithParent) process.stdin.on("end", end).on("error", end).resume();
    console.log(JSON.stringify({ url: runner.url, role: runner.role }));
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(message: string): void {
  console.error(`agent-runner: ${message}\n\n${usage}`);
  process.exitCode = 2;
}
