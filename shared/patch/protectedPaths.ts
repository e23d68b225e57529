/** All of them begin with a dot, so a path without one need not be taken apart. */
export const protectedDirectories = [
  // Continuous integration.
  ".github",
  ".gitea",
  ".forgejo",
  ".gitlab",
  ".circleci",
  ".woodpecker",
  ".buildkite",
  ".drone",
  ".teamcity",
  ".azure-pipelines",
  ".harness",
  ".tekton",
  // Hooks.
  ".husky",
  ".githooks",
  ".git-hooks",
  ".lefthook",
  ".lefthook-local",
  // Agents and editors that run what they find.
  ".claude",
  ".codex",
  ".gemini",
  ".cursor",
  ".opencode",
  ".copilot",
  ".jules",
  ".aider",
  ".cline",
  ".roo",
  ".continue",
  ".windsurf",
  ".kiro",
  ".amazonq",
  ".agents",
  ".vscode",
  ".idea",
  ".devcontainer",
  ".zed",
  // Installs.
  ".cargo",
  ".yarn",
  ".bundle",
  ".mvn",
];

export const protectedFiles = [
  ".gitlab-ci.yml",
  ".woodpecker.yml",
  ".woodpecker.yaml",
  ".drone.yml",
  ".travis.yml",
  ".cirrus.yml",
  ".appveyor.yml",
  "appveyor.yml",
  "azure-pipelines.yml",
  "azure-pipelines.yaml",
  "bitbucket-pipelines.yml",
  "Jenkinsfile",
  "cloudbuild.yaml",
  "cloudbuild.yml",
  "circle.yml",
  "codefresh.yml",
  "wercker.yml",
  ".gitmodules",
  ".gitattributes",
  ".gitconfig",
  ".lfsconfig",
  "CODEOWNERS",
  "lefthook.yml",
  "lefthook.yaml",
  "lefthook-local.yml",
  ".lefthook.yml",
  ".pre-commit-config.yaml",
  ".pre-commit-hooks.yaml",
  ".overcommit.yml",
  ".npmrc",
  ".yarnrc",
  ".yarnrc.yml",
  ".pnpmfile.cjs",
  ".pnpmfile.mjs",
  ".pypirc",
  "pip.conf",
  "bunfig.toml",
  ".envrc",
  ".mise.toml",
  "mise.toml",
  "devcontainer.json",
  ".devcontainer.json",
  ".mcp.json",
  "mcp.json",
  "AGENTS.md",
  "AGENTS.override.md",
  "CLAUDE.md",
  "CLAUDE.local.md",
  "GEMINI.md",
  ".cursorrules",
  ".cursorignore",
  ".windsurfrules",
  ".clinerules",
  ".roomodes",
  ".aider.conf.yml",
  "opencode.json",
  "opencode.jsonc",
  "package-lock.json",
  "npm-shrinkwrap.json",
  "yarn.lock",
  "pnpm-lock.yaml",
  "bun.lock",
  "bun.lockb",
  "deno.lock",
  "Cargo.lock",
  "poetry.lock",
  "uv.lock",
  "pdm.lock",
  "pylock.toml",
  "Pipfile.lock",
  "Gemfile.lock",
  "composer.lock",
  "go.sum",
  "go.work.sum",
  "flake.lock",
  "mix.lock",
  "pubspec.lock",
  "Podfile.lock",
  "Package.resolved",
  "packages.lock.json",
  "gradle.lockfile",
  "gradle-wrapper.properties",
  "conan.lock",
  "wrangler.jsonc",
  "wrangler.json",
  "wrangler.toml",
];

const upperCase = (names: readonly string[]) => new Set(names.map((name) => name.toUpperCase()));
const directoryKeys = upperCase(protectedDirectories);
const fileKeys = upperCase(protectedFiles);

/** A DOS short name: on a file system that makes them, `PACKAG~1.JSO` is another name of a lockfile. */
const shortName = /^[^.]{1,6}~[0-9]{1,4}(?:\.[^.]{0,3})?$/u;

/** Takes the key of a path, see `pathKey`. Names count at any depth: a subtree can be a root elsewhere. */
export function isProtectedKey(key: string): boolean {
  const name = key.slice(key.lastIndexOf("/") + 1);
  if (fileKeys.has(withoutTrailingDots(name))) return true;
  if (!key.includes("~") && !key.startsWith(".") && !key.includes("/.")) return false;
  const segments = key.split("/").map(withoutTrailingDots);
  return segments.some((segment) => shortName.test(segment) || directoryKeys.has(segment));
}

/** Windows opens `.npmrc.` and `.npmrc ` as `.npmrc`. */
export function withoutTrailingDots(segment: string): string {
  let end = segment.length;
  while (end > 0 && ". ".includes(segment[end - 1] ?? "")) end--;
  return end === segment.length ? segment : segment.slice(0, end);
}
