// What the code of a patch could look for when a project's commands run it: everything that it gets is printed.
import { existsSync, readdirSync, readFileSync } from "node:fs";

const attempt = async (look) => {
  try {
    return { got: String(await look()).slice(0, 2_000) };
  } catch (error) {
    return { refused: String(error.cause?.code ?? error.code ?? error.message) };
  }
};
const ask = async (url, headers = {}) => {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  return response.status;
};
const [repository] = process.argv.slice(2);
const found = {
  env: process.env,
  uid: process.getuid(),
  environOfRunner: await attempt(() => readFileSync("/proc/1/environ", "utf8")),
  stateOfRunner: await attempt(() => readdirSync("/var/lib/switchyard")),
  otherWorkspaces: await attempt(() => readdirSync("/work")),
  homeOfRoot: await attempt(() => readdirSync("/root")),
  repositoryOfThePerson: existsSync(repository),
  runner: await attempt(() => ask("http://127.0.0.1:8080/patches/x/result")),
  elsewhere: await attempt(() => ask("http://evil.example.com/")),
  elsewhereByHttps: await attempt(() => ask("https://evil.example.com/")),
  model: await attempt(() => ask("http://model.switchyard/v1/models", { "x-api-key": "a guess" })),
};
console.log("a line of a long output\n".repeat(1_000));
console.log(JSON.stringify(found));
