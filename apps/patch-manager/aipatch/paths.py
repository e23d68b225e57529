"""Which paths a set may name, which of them need approval, and which are allowed."""

from __future__ import annotations

import bisect
import re
import unicodedata

from .shape import is_well_formed

SEGMENT_BYTES = 255
PATH_BYTES = 4_096
PATH_SEGMENTS = 128
GIT_DIRECTORY_KEYS = {".GIT", "GIT~1"}

# Names that steer continuous integration, git, installs or agents. The lists are those of protectedPaths.ts.
PROTECTED_DIRECTORIES = (
    ".github", ".gitea", ".forgejo", ".gitlab", ".circleci", ".woodpecker", ".buildkite", ".drone",
    ".teamcity", ".azure-pipelines", ".harness", ".tekton", ".husky", ".githooks", ".git-hooks",
    ".lefthook", ".lefthook-local", ".claude", ".codex", ".gemini", ".cursor", ".opencode",
    ".copilot", ".jules", ".aider", ".cline", ".roo", ".continue", ".windsurf", ".kiro", ".amazonq",
    ".agents", ".vscode", ".idea", ".devcontainer", ".zed", ".cargo", ".yarn", ".bundle", ".mvn",
)
PROTECTED_FILES = (
    ".gitlab-ci.yml", ".woodpecker.yml", ".woodpecker.yaml", ".drone.yml", ".travis.yml",
    ".cirrus.yml", ".appveyor.yml", "appveyor.yml", "azure-pipelines.yml", "azure-pipelines.yaml",
    "bitbucket-pipelines.yml", "Jenkinsfile", "cloudbuild.yaml", "cloudbuild.yml", "circle.yml",
    "codefresh.yml", "wercker.yml", ".gitmodules", ".gitattributes", ".gitconfig", ".lfsconfig",
    "CODEOWNERS", "lefthook.yml", "lefthook.yaml", "lefthook-local.yml", ".lefthook.yml",
    ".pre-commit-config.yaml", ".pre-commit-hooks.yaml", ".overcommit.yml", ".npmrc", ".yarnrc",
    ".yarnrc.yml", ".pnpmfile.cjs", ".pnpmfile.mjs", ".pypirc", "pip.conf", "bunfig.toml", ".envrc",
    ".mise.toml", "mise.toml", "devcontainer.json", ".devcontainer.json", ".mcp.json", "mcp.json",
    "AGENTS.md", "AGENTS.override.md", "CLAUDE.md", "CLAUDE.local.md", "GEMINI.md", ".cursorrules",
    ".cursorignore", ".windsurfrules", ".clinerules", ".roomodes", ".aider.conf.yml",
    "opencode.json", "opencode.jsonc", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock",
    "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock", "Cargo.lock", "poetry.lock", "uv.lock",
    "pdm.lock", "pylock.toml", "Pipfile.lock", "Gemfile.lock", "composer.lock", "go.sum",
    "go.work.sum", "flake.lock", "mix.lock", "pubspec.lock", "Podfile.lock", "Package.resolved",
    "packages.lock.json", "gradle.lockfile", "gradle-wrapper.properties", "conan.lock",
    "wrangler.jsonc", "wrangler.json", "wrangler.toml",
)
PROTECTED_DIRECTORY_KEYS = {name.upper() for name in PROTECTED_DIRECTORIES}
PROTECTED_FILE_KEYS = {name.upper() for name in PROTECTED_FILES}
SHORT_NAME = re.compile(r"[^.]{1,6}~[0-9]{1,4}(?:\.[^.]{0,3})?")

# The code points from U+0080 on that a path may hold: what Unicode 13.0 assigns, without controls, ignorable and bidi
# code points, surrogates and private use; `gap-length` in base 36, as in pathCodePoints.ts. The table is fixed, so
# that every Python gives the same answer.
PATH_CODE_POINT_RANGES = (
    "w-c 1-io 1-13 2-5 4-6 1-0 1-j 1-b0 1-11 2-1d 2-2 1-1i 8-q 4-5 b-r 2-6n 1-1n 2-2s e-1m 2-1c "
    "2-e 1-r 2-0 1-a 1h-k 1-h b-4w 1-7 2-1 2-l 1-6 1-0 3-3 2-8 2-1 2-3 8-0 4-1 1-4 2-o 2-2 1-5 "
    "4-1 2-l 1-6 1-1 1-1 1-1 2-0 1-4 4-1 2-2 3-0 7-3 1-0 7-g a-2 1-8 1-2 1-l 1-6 1-1 1-4 2-9 1-2 "
    "1-2 2-0 f-3 2-b 7-6 1-2 1-7 2-1 2-l 1-6 1-1 1-4 2-8 2-1 2-2 7-2 4-1 1-4 2-h a-1 1-5 3-2 1-3 "
    "3-1 1-0 1-1 3-1 3-2 3-b 4-4 3-2 1-3 2-0 6-0 e-k 5-c 1-2 1-m 1-f 3-7 1-2 1-3 7-1 1-2 5-3 2-9 "
    "7-l 1-2 1-m 1-9 1-4 2-8 1-2 1-3 7-1 7-0 1-3 2-9 1-1 d-c 1-2 1-1e 1-2 1-5 4-f 2-p 1-2 1-h 3-n "
    "1-8 1-0 2-6 3-0 4-5 1-0 1-7 6-9 2-2 c-1l 4-s 11-1 1-0 1-4 1-n 1-0 1-m 2-4 1-0 1-5 2-9 2-3 "
    "w-1z 1-z 4-12 1-z 1-e 1-c 11-5h 1-0 5-0 2-3y 2-6f 1-3 2-6 1-0 1-3 2-14 1-3 2-w 1-3 2-6 1-0 "
    "1-3 2-e 1-1k 1-3 2-1u 2-v 3-p 6-2d 2-5 2-ik 3-2g 7-c 1-6 b-m 9-j c-c 1-2 1-1 c-1f 2-13 2-9 "
    "6-9 6-a 5-9 6-2g 7-16 5-1x a-u 1-b 4-b 4-0 3-15 2-4 b-17 4-p 6-a 3-1p 2-1s 1-s 2-a 6-9 6-d "
    "2-g 1r-23 4-18 3-37 8-1n 3-e 3-1n 7-16 2-a 8-16 5-6x 1-7u 2-5 2-11 2-5 2-7 1-0 1-0 1-0 1-u "
    "2-1g 1-e 1-d 2-5 1-i 2-2 1-8 1-a 5-n 7-1c g-1 2-q 1-c 3-v g-w f-3v 4-ie p-a l-1eb 2-v 1-47 "
    "1-1a 1-43 5-18 1-0 5-0 2-1j 7-1 e-n 9-6 1-6 1-6 1-6 1-6 1-6 1-6 1-6 1-36 19-p 1-2g c-5x q-b "
    "4-1r 1-2d 2-2u 5-16 1-1e 1-15 1-2b c-1a 1-lp8 3-wc 3-1i 9-9n k-53 8-5b 2-8 16-1j 3-9 6-1j "
    "8-1x 8-b 6-37 b-t 3-25 1-a 4-w 1-1i 9-d 2-9 2-2u o-r a-5 2-5 2-5 9-6 1-6 1-1n 4-3h 2-9 6-8mb "
    "c-m 4-1c 6is-a5 2-2x 12-6 c-4 5-p 1-4 1-0 1-1 1-1 1-3f h-a4 g-1r 2-1h 14-d i-9 6-1e 1-i 1-3 "
    "4-4 1-3q 4-4e 1-t 3-5 2-5 2-5 2-2 3-6 1-6 a-4 2-b 1-p 1-i 1-1 1-e 2-d y-3e 5-2 4-18 3-2f 1-c "
    "3-0 1b-19 3m-s 3-1c f-r 4-z 9-t 5-16 5-t 1-10 4-d 16-4d 2-9 6-z 4-z 4-13 8-1f b-0 40-8m 9-l "
    "a-7 48-5 2-0 1-17 1-1 3-0 2-m 1-1z 8-8 1c-i 1-1 5-w 3-q 5-0 1s-1j 4-j 2-1d 1-1 5-7 1-2 1-s "
    "2-2 4-9 7-8 7-1r w-12 4-b 9-1h 3-s 2-q 5-p 7-3 c-6 28-20 1j-1e d-1e 7-19 8-9 86-u 1-15 1-2 "
    "2-1 26-13 8-15 2e-r k-m 9-25 4-t f-1u b-0 2-o 7-9 6-1g 1-h 8-12 9-2n 1-j b-h 1-17 1t-6 1-0 "
    "1-3 1-e 1-a 6-1m 5-9 6-3 1-7 2-1 2-l 1-6 1-1 1-4 1-9 2-1 2-2 2-0 6-0 5-6 2-6 3-4 3v-2j 1-4 "
    "u-1z 8-9 4m-1h 2-11 y-1w b-9 6-c j-1k 7-9 1i-q 2-e 4-f 5c-1n 2s-2a c-7 2-0 2-7 1-1 1-t 1-1 "
    "2-b 9-9 1y-7 2-19 2-a r-1z 8-2a t-1k 7b-8 1-18 1-d a-s 3-v 2-l 1-d 21-6 1-1 1-17 3-0 1-1 1-8 "
    "8-9 6-5 1-1 1-10 1-1 1-5 7-9 8m-o 53-0 f-1d d-pm 2u-32 1-4 b-5f 24c-tq 1-8 347-g6 6nt-fs 7-u "
    "1-9 4-1 2o-t 2-5 a-1x a-9 1-6 1-k 5-i j4-2i 2t-22 4-1k 7-g 1s-4 b-1 e-4qf 8-yd 16-8 6wn-7y "
    "1d-2 h-3 8-az 1s4-2y 5-c 3-8 7-9 2-3 3ts-6t a-12 2-21 8-31 n-1x 4a-j c-2e 9-o 3r-2c 1-1y 1-1 "
    "2-0 2-1 2-3 1-b 1-0 1-6 1-1s 1-3 2-7 1-6 1-r 1-3 1-4 1-0 3-6 1-9f 2-83 2-jh f-4 1-e 11s-6 "
    "1-g 2-6 1-1 1-4 5x-18 3-d 2-9 4-1 a8-1l 5-0 zk-5g 2-f 15-23 4-9 4-1 lt-1v 24-1o 5e-3 1-q 1-1 "
    "1-0 2-0 1-9 1-3 1-0 1-0 6-0 4-0 1-0 1-0 1-2 1-1 1-0 2-0 1-0 1-0 1-0 1-0 1-1 1-0 2-3 1-6 1-3 "
    "1-3 1-0 1-9 1-g 5-2 1-4 1-g 1g-1 7i-17 4-2r c-e 2-e 1-e 1-10 a-4t 1k-s d-17 4-8 7-1 e-5 "
    "4a-rb 8-c 3-c 3-37 c-2g 7-b k-b 4-1j 8-9 6-13 8-t 2-1 26-3c 1-29 1-3q c-d 2-4 3-2 5-6 9-o "
    "7-6 9-2 d-6 15-42 1-1i 11-9 sm-wyl y-378 b-65 2-4g1 e-5rk 2e7-f1 15u-3t6"
)


def path_bounds() -> list:
    """First code point in, first code point out, and so on."""
    bounds, at = [], 0x80
    for gap, length in (item.split("-") for item in PATH_CODE_POINT_RANGES.split(" ")):
        first = at + int(gap, 36)
        at = first + int(length, 36) + 1
        bounds += [first, at]
    return bounds


PATH_BOUNDS = path_bounds()


def is_path_character(character: str) -> bool:
    code_point = ord(character)
    if code_point < 0x80:
        return 0x20 <= code_point != 0x7F
    return bisect.bisect_right(PATH_BOUNDS, code_point) % 2 == 1


def path_reason(path: str):
    """Why a path is refused, in words for a person; None when it is fine."""
    if path == "":
        return "is empty"
    if path.startswith("/"):
        return "is not relative"
    if not is_well_formed(path):
        return "is not well-formed text"
    if "\\" in path:
        return "holds a backslash"
    if ":" in path:
        return "holds a colon"
    if not all(map(is_path_character, path)):
        return "holds a control, bidi, invisible, private or unassigned code point"
    if unicodedata.normalize("NFC", path) != path:
        return "is not in Unicode form NFC"
    if len(path.encode("utf-8")) > PATH_BYTES:
        return f"is longer than {PATH_BYTES} bytes"
    segments = path.split("/")
    if len(segments) > PATH_SEGMENTS:
        return f"has more than {PATH_SEGMENTS} segments"
    return next(filter(None, map(segment_reason, segments)), None)


def segment_reason(segment: str):
    if segment == "":
        return "has an empty segment"
    if len(segment.encode("utf-8")) > SEGMENT_BYTES:
        return f"has a segment longer than {SEGMENT_BYTES} bytes"
    key = path_key(segment)
    if key in (".", ".."):
        return "has a dot segment"
    return "names a git directory" if key.rstrip(". ") in GIT_DIRECTORY_KEYS else None


def path_key(path: str) -> str:
    """Two paths with the same key can be one file on some file system.

    At least as coarse as NFKC with full case folding, and made of the two case mappings, as in TypeScript.
    """
    if path.isascii():
        return path.upper()
    folded = "".join(one.lower().upper() for one in unicodedata.normalize("NFKC", path))
    return unicodedata.normalize("NFKC", folded)


def is_protected_path(path: str) -> bool:
    segments = [segment.rstrip(". ") for segment in path_key(path).split("/")]
    return segments[-1] in PROTECTED_FILE_KEYS or any(
        segment in PROTECTED_DIRECTORY_KEYS or SHORT_NAME.fullmatch(segment) for segment in segments
    )


def directories_of(path: str) -> list:
    segments = path.split("/")
    return ["/".join(segments[:count]) for count in range(1, len(segments))]


def is_allowed_path(path: str, allowed_paths) -> bool:
    segments = path.split("/")
    return any(covers(entry, segments) for entry in allowed_paths)


def covers(entry: str, segments: list) -> bool:
    pattern = re.sub(r"\A(?:\./)+", "", entry).rstrip("/")
    if pattern in ("", "."):
        return pattern == "."
    return wildcard_match(pattern.split("/") + ["**"], segments, "**", segment_matches)


def segment_matches(pattern: str, segment: str) -> bool:
    return wildcard_match(pattern, segment, "*", lambda part, character: part == character)


def wildcard_match(pattern, subject, wildcard: str, matches_one) -> bool:
    """One wildcard for any run, going back to the last wildcard only: at most length times length steps."""
    part = item = retry_item = 0
    retry_part = -1
    while item < len(subject):
        if part < len(pattern) and pattern[part] == wildcard:
            part += 1
            retry_part, retry_item = part, item
        elif part < len(pattern) and matches_one(pattern[part], subject[item]):
            part += 1
            item += 1
        elif retry_part >= 0:
            retry_item += 1
            part, item = retry_part, retry_item
        else:
            return False
    return all(one == wildcard for one in pattern[part:])
