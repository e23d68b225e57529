import { SwitchyardError } from "../../../shared/errors.ts";
import { gitLine } from "./git.ts";

/** The first that can tell absolute paths of a repository, which every run asks for. */
const oldest = [2, 31] as const;

export async function checkGitVersion(): Promise<void> {
  const said = await gitLine({ gitDir: "/nonexistent" }, ["version"]);
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(said) ?? []).map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return;
  throw new SwitchyardError("internal", `${said} is too old: git ${oldest.join(".")} is needed.`);
}
