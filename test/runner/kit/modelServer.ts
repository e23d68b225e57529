import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { projectFolder } from "./runners.ts";
import { onFinished } from "./testScope.ts";

type ModelServer = { url: string; close(): Promise<void> };

type ScriptedModel = {
  startModelServer(): Promise<ModelServer>;
  makeRepo(folder: string): void;
  makeFailingRepo(folder: string): void;
};

const program = join(projectFolder, "apps/scripted-model/model-server.mjs");

export const scriptedModel = (await import(pathToFileURL(program).href)) as ScriptedModel;

/** The endpoint at which the scripted model plays this scenario. */
export async function playScenario(scenario: string): Promise<string> {
  const server = await scriptedModel.startModelServer();
  onFinished(() => server.close());
  return `${server.url}/s/${scenario}`;
}
