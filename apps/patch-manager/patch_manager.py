#!/usr/bin/env python3
"""The Patch Manager: checks and applies patch sets of the format aipatch/1 (docs/patch-format.md).

    patch_manager.py apply --root DIR [options] [SETFILE]     apply a set, all of it or nothing
    patch_manager.py check --root DIR [options] [SETFILE]     say what apply would do; writes nothing
    patch_manager.py revert --root DIR [options] [UNDOFILE]   take a set back, by the undo file that apply wrote
    patch_manager.py recover --root DIR                       finish or undo a run that was interrupted
    patch_manager.py vectors FILE [--json]                    run a vector file in memory

What each command takes, and every exit status, is told by --help.

The semantics, the codes and the messages are those of the TypeScript engine in shared/patch/; one file of vectors
binds both. It needs Python 3.9, a POSIX system and nothing but the standard library.
"""

from __future__ import annotations

import argparse
import base64
import bisect
import collections
import contextlib
import decimal
import errno
import fcntl
import hashlib
import json
import os
import re
import stat
import sys
import unicodedata

# Limits and names.

DEFAULT_LIMITS = {"patch_bytes": 33_554_432, "files": 10_000, "changed_lines": 2_000_000}
# Lines that may be compared to find the patches of one file in a changed file.
SEARCHED_LINES = 20_000_000
SEQUENTIAL_PATCHES = 10_000
LARGEST_WHOLE_NUMBER = 2**53 - 1
BINARY_PROBE_BYTES = 8_000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

SEGMENT_BYTES = 255
PATH_BYTES = 4_096
PATH_SEGMENTS = 128
GIT_DIRECTORY_KEYS = {".GIT", "GIT~1"}

PATCH_OPERATIONS = ("replace-block", "insert-before", "insert-after", "append")
FILE_OPERATIONS = ("edit", "create", "delete", "rename", "copy", "replace")
FILE_MODES = ("100644", "100755", "120000")
SYMLINK_MODE = "120000"
GITLINK_MODE = "160000"
# What the disk holds beside files and symlinks: pipes, sockets, devices. No set can say it.
SPECIAL_MODE = "special"

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

Fault = dict
TreeFile = collections.namedtuple("TreeFile", "bytes mode")
IndexedPatch = collections.namedtuple("IndexedPatch", "index patch")
PreparedPatch = collections.namedtuple("PreparedPatch", "index patch block")
FileTask = collections.namedtuple("FileTask", "path file patches")
ReviewedFile = collections.namedtuple("ReviewedFile", "path file patches prepared is_readable")
Policy = collections.namedtuple("Policy", "allowed_paths base_is_head allow_protected limits")


def policy_of(allowed_paths=None, base_is_head=False, allow_protected=False, limits=None) -> Policy:
    given = {name: value for name, value in (limits or {}).items() if value is not None}
    return Policy(allowed_paths, base_is_head, allow_protected, {**DEFAULT_LIMITS, **given})


# Faults.


def set_fault(code: str, message: str) -> Fault:
    return {"index": None, "file": None, "code": code, "message": message}


def file_fault(file: str, code: str, message: str) -> Fault:
    return {"index": None, "file": file, "code": code, "message": message}


def patch_fault(item, code: str, message: str) -> Fault:
    return {"index": item.index, "file": item.patch["file"], "code": code, "message": message}


def order_faults(faults: list) -> list:
    """Faults of the set, then of files by path, then of patches by index; one per place and code."""
    merged = {}
    for fault in sorted(faults, key=fault_place):
        known = merged.setdefault((fault["index"], fault["file"], fault["code"]), dict(fault))
        if known["message"] != fault["message"]:
            known["message"] += "; " + fault["message"]
    return list(merged.values())


def fault_place(fault: Fault):
    if fault["index"] is not None:
        return (1, fault["index"], b"")
    return (0, 0, code_units(fault["file"] or ""))


def code_units(text: str) -> bytes:
    """Sorts as UTF-16 code units do, which is the order of canonical JSON and of JavaScript."""
    return text.encode("utf-16-be", "surrogatepass")


# The shape of the input.
# A check takes a value and its name and answers (code, message) pairs.

ABSENT = object()


def is_well_formed(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def unsupported(name: str, message: str) -> list:
    return [("schema_unsupported", message if name == "" else f"{name} {message}")]


def member_name(name: str, key: str) -> str:
    return key if name == "" else f"{name}.{key}"


def check_text(value, name):
    if not isinstance(value, str):
        return unsupported(name, "must be text")
    return [] if is_well_formed(value) else [("ill_formed_text", f"{name} holds half a surrogate pair")]


def check_path_text(value, name):
    return [] if isinstance(value, str) else unsupported(name, "must be text")


def check_whole_number(value, name):
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and abs(value) <= LARGEST_WHOLE_NUMBER:
        return []
    return [("not_an_integer", f"{name} must be a whole number")]


def check_share(value, name):
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return [] if is_number and 0 <= value <= 1 else unsupported(name, "must be a number from 0 to 1")


def check_array(value, name):
    return [] if isinstance(value, list) else unsupported(name, "must be an array")


def check_record(value, name):
    return [] if isinstance(value, dict) else unsupported(name, "must be an object")


def one_of(values, code="schema_unsupported"):
    def check(value, name):
        if isinstance(value, str) and value in values:
            return []
        return [(code, f"{name} must be one of {', '.join(values)}")]

    return check


def hex_digits(length: int):
    def check(value, name):
        if isinstance(value, str) and re.fullmatch("[0-9a-f]{%d}" % length, value):
            return []
        return unsupported(name, f"must be {length} lowercase hexadecimal digits")

    return check


def object_of(fields: dict):
    """An object with these fields and no others; fields are name -> (check, is_required)."""

    def check(value, name):
        if not isinstance(value, dict):
            return unsupported(name, "must be an object")
        found = []
        for key in sorted(value.keys() - fields.keys(), key=code_units):
            shown = key if re.fullmatch("[A-Za-z0-9_-]{1,40}", key) else "an unknown name"
            found.append(("unexpected_field", f"{member_name(name, shown)} is not a field here"))
        for key, (check_member, is_required) in fields.items():
            member = value.get(key, ABSENT)
            if member is not ABSENT:
                found.extend(check_member(member, member_name(name, key)))
            elif is_required:
                found.append(("missing_field", f"{member_name(name, key)} is missing"))
        return found

    return check


def check_mode(value, name):
    if value == GITLINK_MODE:
        return [("path_not_allowed", f"{name} makes a submodule")]
    return one_of(FILE_MODES)(value, name)


CHECK_PRE_IMAGE = object_of(
    {"blob": (hex_digits(40), False), "sha256": (hex_digits(64), False), "mode": (check_mode, False)}
)
CHECK_CONTENT_FIELDS = object_of(
    {"text": (check_text, False), "base64": (check_text, False), "r2": (check_text, False)}
)


def check_pre(value, name):
    return [] if value == "absent" else CHECK_PRE_IMAGE(value, name)


def check_content(value, name):
    found = CHECK_CONTENT_FIELDS(value, name)
    if found or len(value) == 1:
        return found
    if not value:
        return [("missing_field", f"{name} is empty")]
    return [("unexpected_field", f"{name} says the same thing twice")]


PATCH_SHAPE = object_of(
    {
        "task_id": (check_text, True),
        "file": (check_path_text, True),
        "operation": (one_of(PATCH_OPERATIONS, "unknown_operation"), True),
        "start": (check_whole_number, False),
        "end": (check_whole_number, False),
        "line": (check_whole_number, False),
        "block": (check_text, True),
        "metadata": (
            object_of(
                {
                    "provider": (check_text, True),
                    "confidence": (check_share, False),
                    "model": (check_text, False),
                }
            ),
            True,
        ),
        "block_encoding": (one_of(("utf-8", "base64")), False),
        "expect": (
            object_of({name: (check_text, False) for name in ("block", "before", "after")}),
            False,
        ),
    }
)
FILE_SHAPE = object_of(
    {
        "op": (one_of(FILE_OPERATIONS, "unknown_operation"), True),
        "pre": (check_pre, False),
        "post": (object_of({"sha256": (hex_digits(64), False)}), False),
        "from": (check_path_text, False),
        "mode": (check_mode, False),
        "eof": (one_of(("preserve", "present", "absent")), False),
        "content": (check_content, False),
    }
)
SET_SHAPE = object_of(
    {
        "schema": (one_of(("aipatch/1",)), True),
        "id": (check_text, True),
        "task_id": (check_text, True),
        "execution_id": (check_text, False),
        "mode": (one_of(("lines", "exact")), True),
        "coordinates": (one_of(("snapshot", "sequential")), True),
        "base": (object_of({name: (check_text, False) for name in ("repo", "ref", "commit")}), True),
        "files": (check_record, True),
        "patches": (check_array, True),
    }
)

POSITION_FIELDS = ("start", "end", "line")
FIELDS_OF_PATCH = {
    "replace-block": ("start", "end"),
    "insert-before": ("line",),
    "insert-after": ("line",),
    "append": (),
}


def field_use_faults(patch: dict) -> list:
    """All position fields that the operation takes, and no other."""
    operation = patch.get("operation")
    if not isinstance(operation, str) or operation not in FIELDS_OF_PATCH:
        return []
    found = []
    for name in POSITION_FIELDS:
        is_used = name in FIELDS_OF_PATCH[operation]
        if is_used and name not in patch:
            found.append(("missing_field", f"{name} is missing"))
        elif not is_used and name in patch:
            found.append(("unexpected_field", f"{operation} takes no {name}"))
    return found


def range_fault(patch: dict):
    """What can be wrong with the numbers before the length of the file is known."""
    operation = patch["operation"]
    start, end, line = (patch.get(name, 1) for name in POSITION_FIELDS)
    if operation == "replace-block":
        if start < 1:
            return f"start is {start}, the first line is 1"
        return f"end is {end}, which is before start {start}" if end < start else None
    if operation == "insert-before" and line < 1:
        return f"line is {line}, the first line is 1"
    if operation == "insert-after" and line < 0:
        return f"line is {line}, the top of the file is 0"
    return None


# Of `incomplete` files some patch is missing, of `unreadable` files the entry itself. `set` is None when nothing can
# be made of the input.
Salvaged = collections.namedtuple("Salvaged", "set patches incomplete unreadable faults")


def salvage_patch_set(given) -> Salvaged:
    """The well-formed part of a set, so that what is wrong with the rest does not hide what is wrong with it."""
    if not isinstance(given, dict):
        return Salvaged(None, [], set(), set(), [set_fault("schema_unsupported", "a patch set is an object")])
    if given.get("schema", "aipatch/1") != "aipatch/1":
        faults = [set_fault("schema_unsupported", "schema must be aipatch/1")]
        return Salvaged(None, [], set(), set(), faults)

    faults = [set_fault(code, message) for code, message in SET_SHAPE(given, "")]
    files, unreadable = {}, set()
    given_files = given.get("files")
    for path, file in (given_files if isinstance(given_files, dict) else {}).items():
        found = FILE_SHAPE(file, "")
        faults.extend(file_fault(path, code, message) for code, message in found)
        if found:
            unreadable.add(path)
        else:
            files[path] = file
    patches, incomplete = salvage_patches(given.get("patches"), faults)
    can_be_placed = given.get("mode") in ("lines", "exact") and given.get("coordinates") in (
        "snapshot",
        "sequential",
    )
    if not can_be_placed:
        return Salvaged(None, [], set(), set(), faults)
    return Salvaged({**given, "files": files}, patches, incomplete, unreadable, faults)


def salvage_patches(given, faults: list):
    patches, incomplete = [], set()
    for index, value in enumerate(given if isinstance(given, list) else []):
        record = value if isinstance(value, dict) else {}
        file = record["file"] if isinstance(record.get("file"), str) else None
        found = PATCH_SHAPE(value, "") + field_use_faults(record)
        for code, message in found:
            faults.append({"index": index, "file": file, "code": code, "message": message})
        if not found:
            patches.append(IndexedPatch(index, value))
        elif file is not None:
            incomplete.add(file)
    return patches, incomplete


def set_from_seed_payload(given):
    """The payload of the seed plan, one patch or an array of patches, as a set; anything else unchanged."""
    if isinstance(given, dict) and "operation" in given:
        given = [given]
    if not isinstance(given, list):
        return given
    first = given[0] if given and isinstance(given[0], dict) else {}
    task_id = first.get("task_id")
    return {
        "schema": "aipatch/1",
        "id": "",
        "task_id": task_id if isinstance(task_id, str) else "",
        "mode": "lines",
        "coordinates": "snapshot",
        "base": {},
        "files": {},
        "patches": given,
    }


# Paths.


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


# What can be said of a set without reading a file.

FIELDS_OF_FILE = {
    "edit": ("pre", "post", "mode", "eof"),
    "create": ("pre", "post", "mode", "eof", "content"),
    "delete": ("pre",),
    "rename": ("pre", "post", "from", "mode", "eof"),
    "copy": ("pre", "post", "from", "mode", "eof"),
    "replace": ("pre", "post", "mode", "content"),
}
OPTIONAL_FILE_FIELDS = ("pre", "post", "from", "mode", "eof", "content")
NEEDED_FILE_FIELD = {"rename": "from", "copy": "from", "replace": "content", "delete": "pre"}

Review = collections.namedtuple("Review", "files faults added_lines")


def file_tasks(files: dict, patches: list) -> list:
    """The files of a set by path. A patch of a file that has no entry is an edit of it."""
    tasks = {path: FileTask(path, file, []) for path, file in files.items()}
    for item in patches:
        path = item.patch["file"]
        tasks.setdefault(path, FileTask(path, {"op": "edit"}, [])).patches.append(item)
    return sorted(tasks.values(), key=lambda task: code_units(task.path))


def review_patch_set(patch_set: dict, patches: list, policy: Policy) -> Review:
    tasks = file_tasks(patch_set["files"], patches)
    faults = path_faults(tasks, policy)
    refused_paths = {fault["file"] for fault in faults}
    files = []
    for task in tasks:
        found = file_entry_faults(task.path, task.file, patch_set["mode"])
        faults.extend(file_fault(task.path, code, message) for code, message in found)
        prepared = prepare_patches(task, patch_set, faults)
        files.append(ReviewedFile(*task, prepared, not found and task.path not in refused_paths))
    texts = [item.block for file in files for item in file.prepared]
    texts += [content_bytes(file.file["content"]) or b"" for file in files if "content" in file.file]
    added_lines = sum(map(line_count, texts))
    limits = policy.limits
    faults.extend(over_limit("bytes", sum(map(len, texts)), limits["patch_bytes"]))
    faults.extend(over_limit("files", len(files), limits["files"]))
    faults.extend(over_limit("changed lines", added_lines, limits["changed_lines"]))
    return Review(files, faults, added_lines)


def over_limit(what: str, count: int, limit: int) -> list:
    return [set_fault("too_large", f"{count} {what}, the limit is {limit}")] if count > limit else []


def path_faults(tasks: list, policy: Policy) -> list:
    faults = [fault for task in tasks for fault in task_path_faults(task, policy)]
    refused = {fault["file"] for fault in faults}
    sound = [task for task in tasks if task.path not in refused]
    return faults + source_faults(sound) + collision_faults(sound)


def task_path_faults(task: FileTask, policy: Policy) -> list:
    path, source = task.path, task.file.get("from")
    own_reason = path_reason(path)
    source_reason = None if source is None else path_reason(source)
    if own_reason is not None:
        return [file_fault(path, "bad_path", f"path {own_reason}")]
    if source_reason is not None:
        return [file_fault(path, "bad_path", f"from {source_reason}")]
    changed = [path, source] if task.file["op"] == "rename" and source is not None else [path]
    faults = []
    allowed = policy.allowed_paths
    if allowed is not None and not all(is_allowed_path(one, allowed) for one in changed):
        faults.append(file_fault(path, "path_not_allowed", "outside the paths that the task may change"))
    if not policy.allow_protected and any(map(is_protected_path, changed)):
        faults.append(file_fault(path, "protected_path", "needs a person's approval"))
    return faults


def source_faults(tasks: list) -> list:
    """A file can be renamed once, and is then no longer there for another operation."""
    faults, renamed = [], set()
    for task in tasks:
        source = task.file.get("from")
        if task.file["op"] != "rename" or source is None:
            continue
        if source in renamed:
            faults.append(file_fault(task.path, "missing_file", "its source is renamed to another path"))
        renamed.add(source)
    for task in tasks:
        if task.path in renamed and task.file["op"] in ("edit", "delete", "replace"):
            faults.append(file_fault(task.path, "missing_file", "this set renames it; patch its new path"))
    return faults


def collision_faults(tasks: list) -> list:
    """Two outcomes that some file system takes for one, or one that is a directory of another."""
    remaining = [task.path for task in tasks if task.file["op"] != "delete"]
    root = {}
    for path in remaining:
        node = root
        for segment in path_key(path).split("/"):
            node = node.setdefault(segment, {})
        # No segment is None, so that it can stand for the path that ends here.
        node.setdefault(None, path)
    faults = []
    for path in remaining:
        nodes, node = [], root
        for segment in path_key(path).split("/"):
            node = node[segment]
            nodes.append(node)
        if nodes.pop()[None] != path:
            message = "differs from another path of the set in case or form only"
            faults.append(file_fault(path, "bad_path", message))
        elif any(None in one for one in nodes):
            message = "another path of the set is a file where it needs a directory"
            faults.append(file_fault(path, "file_exists", message))
    return faults


def takes_patches(file: dict) -> bool:
    """False when the entry says the whole outcome, so that no patch can follow."""
    return file["op"] not in ("delete", "replace") and not (file["op"] == "create" and "content" in file)


def file_entry_faults(path: str, file: dict, mode: str) -> list:
    operation, pre = file["op"], file.get("pre")
    found = [
        ("unexpected_field", f"{operation} takes no {name}")
        for name in OPTIONAL_FILE_FIELDS
        if name in file and name not in FIELDS_OF_FILE[operation]
    ]
    needed = NEEDED_FILE_FIELD.get(operation)
    if needed is not None and needed not in file:
        found.append(("missing_field", f"{operation} needs {needed}"))
    found += pre_faults(operation, pre) + eof_faults(file, mode) + content_faults(file)
    if file.get("from") == path:
        found.append(("file_exists", f"{operation} from a path to itself"))
    if file.get("mode") == SYMLINK_MODE or (isinstance(pre, dict) and pre.get("mode") == SYMLINK_MODE):
        found.append(("path_not_allowed", "symbolic links are not patched"))
    return found


def pre_faults(operation: str, pre) -> list:
    if pre is None:
        return []
    if pre == "absent":
        message = f"{operation} needs the file to be there"
        return [] if operation == "create" else [("unexpected_field", message)]
    if operation == "create":
        return [("unexpected_field", "create needs the file to be absent")]
    if operation == "delete" and "blob" not in pre and "sha256" not in pre:
        return [("missing_field", "delete needs a hash in pre")]
    return []


def eof_faults(file: dict, mode: str) -> list:
    eof = file.get("eof", "preserve")
    if eof == "preserve":
        return []
    if mode == "exact":
        return [("unexpected_field", f"mode exact takes its bytes literally, eof cannot be {eof}")]
    if file["op"] == "create" and "content" in file:
        return [("unexpected_field", "content is taken literally, eof cannot change it")]
    return []


def content_faults(file: dict) -> list:
    if "content" not in file:
        return []
    if "r2" in file["content"]:
        return [("unexpected_field", "content.r2 has to be resolved to its bytes first")]
    if content_bytes(file["content"]) is None:
        return [("ill_formed_text", "content is not well-formed")]
    return []


def content_bytes(content: dict):
    """None when the content is not well-formed, or not in the set itself."""
    if "text" in content:
        return content["text"].encode("utf-8") if is_well_formed(content["text"]) else None
    return decode_base64(content["base64"]) if "base64" in content else None


def decode_base64(text: str):
    if len(text) % 4 != 0 or not re.fullmatch("[A-Za-z0-9+/]*={0,2}", text):
        return None
    return base64.b64decode(text)


def prepare_patches(task: FileTask, patch_set: dict, faults: list) -> list:
    """The patches that are sound in themselves, with the bytes of their blocks."""
    seen, prepared = {}, []
    for item in task.patches:
        found = own_patch_faults(item, task.file)
        block, fault = decode_block(item, patch_set["mode"])
        if fault is not None:
            found.append(fault)
        if patch_set["coordinates"] == "snapshot":
            twin = seen.setdefault(twin_key(item.patch), item.index)
            if twin != item.index:
                found.append(patch_fault(item, "duplicate_patch", f"says the same as patch {twin}"))
        faults.extend(found)
        if not found:
            prepared.append(PreparedPatch(item.index, item.patch, block))
    return prepared


def own_patch_faults(item: IndexedPatch, file: dict) -> list:
    faults = [patch_fault(item, code, message) for code, message in field_use_faults(item.patch)]
    reason = range_fault(item.patch)
    if reason is not None:
        faults.append(patch_fault(item, "out_of_range", reason))
    if not takes_patches(file):
        faults.append(patch_fault(item, "unexpected_field", f"{file['op']} already says the whole outcome"))
    return faults


def twin_key(patch: dict) -> tuple:
    numbers = tuple(patch.get(name) for name in POSITION_FIELDS)
    return (patch["operation"], numbers, patch.get("block_encoding", "utf-8"), patch["block"])


def decode_block(item: IndexedPatch, mode: str):
    """The bytes of a block and None, or None and the fault for which the mode cannot hold it."""
    patch = item.patch
    is_base64 = patch.get("block_encoding") == "base64"
    if is_base64 and mode == "lines":
        return None, patch_fault(item, "unexpected_field", "block_encoding base64 needs mode exact")
    block = decode_base64(patch["block"]) if is_base64 else patch["block"].encode("utf-8")
    if block is None:
        return None, patch_fault(item, "ill_formed_text", "block is not base64")
    if not block and patch["operation"] != "replace-block":
        return None, patch_fault(item, "empty_insert", f"{patch['operation']} needs a block")
    if b"\0" in block:
        return None, patch_fault(item, "nul_in_block", "block holds a NUL")
    reason = unfit_for_lines(block) if mode == "lines" else None
    return (block, None) if reason is None else (None, patch_fault(item, "ill_formed_text", reason))


def unfit_for_lines(block: bytes):
    """What a list of lines cannot say: it would be read back as something else."""
    if block.startswith(BYTE_ORDER_MARK):
        return "block begins with a byte order mark, which belongs to the file"
    if block.endswith(b"\r") or b"\r\r\n" in block:
        return "block has a line that ends in a lone carriage return"
    return None


# The lines of one file.


def split_lines(data: bytes) -> list:
    """Only LF ends a line; every line keeps its ending."""
    lines = data.split(b"\n")
    last = lines.pop()
    lines = [line + b"\n" for line in lines]
    return lines + [last] if last else lines


def line_count(data: bytes) -> int:
    return data.count(b"\n") + (0 if data.endswith(b"\n") or not data else 1)


def ending_of(line: bytes) -> bytes:
    """Empty when the line has no ending."""
    if line.endswith(b"\r\n"):
        return b"\r\n"
    return b"\n" if line.endswith(b"\n") else b""


def without_ending(line: bytes) -> bytes:
    return line[: len(line) - len(ending_of(line))]


def ending_at(lines: list, index: int) -> bytes:
    return ending_of(lines[index]) if 0 <= index < len(lines) else b""


def majority_ending(lines: list) -> bytes:
    """The more frequent ending of a file; LF when neither leads."""
    windows = sum(line.endswith(b"\r\n") for line in lines)
    ended = sum(line.endswith(b"\n") for line in lines)
    return b"\r\n" if windows > ended - windows else b"\n"


def with_ending(block: bytes, ending: bytes) -> list:
    return [without_ending(line) + ending for line in split_lines(block)]


def ending_for(lines: list, start: int, end: int, majority: bytes) -> bytes:
    """New lines end like the first line they replace, else like the line above, else like the line below."""
    replaced = ending_at(lines, start) if end > start else b""
    return replaced or ending_at(lines, start - 1) or ending_at(lines, end) or majority


# Guards: what a patch expects around its place.

Guard = collections.namedtuple("Guard", "left middle right")


def comparable(line: bytes, exact: bool) -> bytes:
    """In mode `exact` a line is compared with its ending, in mode `lines` without."""
    return line if exact else without_ending(line)


def guard_of(patch: dict, exact: bool):
    """The lines that end at the place, those in it, and those that begin after it; None without any."""
    expect = patch.get("expect", {})
    before, block, after = (
        [comparable(line, exact) for line in split_lines(expect.get(name, "").encode("utf-8"))]
        for name in ("before", "block", "after")
    )
    if not before and not block and not after:
        return None
    if patch["operation"] == "replace-block":
        return Guard(before, block, after)
    if patch["operation"] == "insert-before":
        return Guard(before, [], block + after)
    return Guard(before + block, [], after)


def guard_stands(guard: Guard, place: tuple, lines: list, exact: bool) -> bool:
    start, end = place
    if guard.middle and len(guard.middle) != end - start:
        return False
    return (
        stand_at(guard.left, start - len(guard.left), lines, exact)
        and stand_at(guard.middle, start, lines, exact)
        and stand_at(guard.right, end, lines, exact)
    )


def stand_at(expected: list, at: int, lines: list, exact: bool) -> bool:
    if at < 0 or at + len(expected) > len(lines):
        return False
    return all(comparable(lines[at + offset], exact) == line for offset, line in enumerate(expected))


def find_lines(pattern: list, lines: list, known_lines: set) -> list:
    """At most two places of a pattern, by Knuth-Morris-Pratt over comparable lines."""
    if not known_lines.issuperset(pattern):
        return []
    fallback = [0] * len(pattern)
    for index in range(1, len(pattern)):
        fallback[index] = advance(pattern, fallback, fallback[index - 1], pattern[index])
    found, matched = [], 0
    for index, line in enumerate(lines):
        matched = advance(pattern, fallback, matched, line)
        if matched == len(pattern):
            found.append(index + 1 - matched)
            if len(found) == 2:
                break
    return found


def advance(pattern: list, fallback: list, matched: int, line: bytes) -> int:
    """How many lines of the pattern match after one line more."""
    while True:
        if matched < len(pattern) and pattern[matched] == line:
            return matched + 1
        if matched == 0:
            return 0
        matched = fallback[matched - 1]


# Placing patches.
# Places are (start, end) pairs of gaps between lines: the lines from `start` up to, without, `end`, counted from 0.

# By a hash the file is the base (`base`) or another (`changed`), by the caller's word it is the base (`head`), or
# nobody said (`unknown`).
TRUSTED = ("base", "head")

Placement = collections.namedtuple("Placement", "place shift fault")
PlacedPatch = collections.namedtuple("PlacedPatch", "index patch block start end")
Rebuilt = collections.namedtuple("Rebuilt", "pieces faults shifts removed_lines")
# `patch` is where the lines come from, None for lines of the file itself.
Piece = collections.namedtuple("Piece", "lines patch")


def stated_place(patch: dict, count: int):
    """The place that a patch names in a file of `count` lines; a text says why there is none."""
    operation, line = patch["operation"], patch.get("line", 0)

    def outside(name: str, value: int) -> str:
        return f"{name} is {value}, the file has {count} {'line' if count == 1 else 'lines'}"

    if operation == "append":
        return (count, count)
    if operation == "replace-block":
        if patch["end"] > count:
            return outside("end", patch["end"])
        return (patch["start"] - 1, patch["end"])
    if operation == "insert-before":
        return outside("line", line) if line > count + 1 else (line - 1, line - 1)
    return outside("line", line) if line > count else (line, line)


def refuse_patch(item, code: str, message: str) -> Placement:
    return Placement(None, 0, patch_fault(item, code, message))


def refuse_unguarded(item, knowledge: str) -> Placement:
    if knowledge == "changed":
        message = "the file is not the one it was made for, and it has no guard"
        return refuse_patch(item, "stale", message)
    return refuse_patch(item, "unguarded", "needs expect, or pre of its file, or a base that is the head")


def place_as_stated(item, guard, lines: list, exact: bool, knowledge: str) -> Placement:
    if guard is None and knowledge not in TRUSTED:
        return refuse_unguarded(item, knowledge)
    place = stated_place(item.patch, len(lines))
    if isinstance(place, str):
        return refuse_patch(item, "out_of_range", place)
    if guard is None or guard_stands(guard, place, lines, exact):
        return Placement(place, 0, None)
    return refuse_patch(item, "stale", "what it expects does not stand at its place")


class Search:
    """Finds guards in one file, as long as that does not take too long."""

    def __init__(self, lines: list, exact: bool):
        self.lines, self.exact = lines, exact
        self.lines_left = SEARCHED_LINES
        self.comparable = None

    def find(self, guard: Guard):
        """At most two places where all of a guard stands in one piece; None when it takes too long."""
        self.lines_left -= len(self.lines)
        if self.lines_left < 0:
            return None
        if self.comparable is None:
            self.comparable = [comparable(line, self.exact) for line in self.lines]
            self.known = set(self.comparable)
        return find_lines(guard.left + guard.middle + guard.right, self.comparable, self.known)


def place_by_guard(item, guard: Guard, search: Search) -> Placement:
    patch = item.patch
    is_replace = patch["operation"] == "replace-block"
    if is_replace and len(guard.middle) != patch["end"] - patch["start"] + 1:
        message = "expect.block has another number of lines than start to end"
        return refuse_patch(item, "stale", message)
    found = search.find(guard)
    if found is None:
        message = "too many patches to be searched for in a changed file"
        return Placement(None, 0, file_fault(patch["file"], "too_large", message))
    if not found:
        return refuse_patch(item, "stale", "what it expects is not in the file")
    if len(found) > 1:
        return refuse_patch(item, "ambiguous", "what it expects is more than once in the file")
    start = found[0] + len(guard.left)
    stated = patch["start"] - 1 if is_replace else patch["line"]
    if patch["operation"] == "insert-before":
        stated -= 1
    return Placement((start, start + len(guard.middle)), start - stated, None)


def place_patch(item, edit: dict, lines: list, search: Search) -> Placement:
    operation, knowledge = item.patch["operation"], edit["knowledge"]
    guard = guard_of(item.patch, search.exact)
    # A block to replace is found by its own text only: what stands around it says nothing of it.
    can_be_searched = guard is not None and (guard.middle or operation not in ("replace-block", "append"))
    if knowledge in TRUSTED or operation == "append":
        stated = place_as_stated(item, guard, lines, search.exact, knowledge)
        if stated.fault is None or knowledge != "head" or not can_be_searched:
            return stated
    elif not can_be_searched:
        return refuse_unguarded(item, knowledge)
    return place_by_guard(item, guard, search)


def place_all(edit: dict, lines: list):
    """Every patch has its place in the file as it was read, so none moves another."""
    placed, faults, shifts = [], [], []
    search = Search(lines, edit["mode"] == "exact")
    for item in edit["patches"]:
        placement = place_patch(item, edit, lines, search)
        if placement.fault is not None:
            faults.append(placement.fault)
            continue
        placed.append(PlacedPatch(*item, *placement.place))
        if placement.shift != 0:
            shifts.append({"index": item.index, "file": edit["path"], "lines": placement.shift})
    return placed, faults, shifts


def rebuild_from_snapshot(edit: dict, lines: list, majority: bytes) -> Rebuilt:
    placed, faults, shifts = place_all(edit, lines)
    # At one gap an insert stands before what replaces the next line; among inserts the array's order counts.
    placed.sort(key=lambda patch: (patch.start, patch.end > patch.start, patch.index))
    faults += overlap_faults(placed)
    if faults:
        return Rebuilt([], faults, shifts, 0)
    pieces, following, removed_lines = [], 0, 0
    for patch in placed:
        if patch.start > following:
            pieces.append(Piece(lines[following : patch.start], None))
        if patch.block:
            pieces.append(Piece(new_lines(edit, patch, lines, (patch.start, patch.end), majority), patch))
        removed_lines += patch.end - patch.start
        following = patch.end
    if following < len(lines):
        pieces.append(Piece(lines[following:], None))
    return Rebuilt(pieces, [], shifts, removed_lines)


def new_lines(edit: dict, item, lines: list, place: tuple, majority: bytes) -> list:
    if edit["mode"] == "exact":
        return split_lines(item.block)
    return with_ending(item.block, ending_for(lines, *place, majority))


def overlap_faults(in_order: list) -> list:
    """One fault for each patch that gets in the way of another; of two, the later in the array has it."""
    faults, reach = [], None
    for patch in in_order:
        is_replace = patch.end > patch.start
        if reach is not None and patch.start < reach.end:
            if is_replace:
                first, second = sorted((patch, reach), key=lambda one: one.index)
                message = f"replaces lines that patch {first.index} replaces"
                faults.append(patch_fault(second, "overlap", message))
            else:
                message = f"inside what patch {reach.index} replaces"
                faults.append(patch_fault(patch, "insert_inside_replace", message))
        if is_replace and (reach is None or patch.end > reach.end):
            reach = patch
    return faults


def rebuild_in_turn(edit: dict, lines: list, majority: bytes) -> Rebuilt:
    """Each patch has its place in the file as the patches before it left it.

    After the first that has no place the numbers of the others mean nothing, so it is the only one told.
    """
    if len(edit["patches"]) > SEQUENTIAL_PATCHES:
        message = f"more than {SEQUENTIAL_PATCHES} sequential patches of one file"
        return Rebuilt([], [file_fault(edit["path"], "too_large", message)], [], 0)
    exact = edit["mode"] == "exact"
    lines, owners, removed_lines = list(lines), [None] * len(lines), 0
    for item in edit["patches"]:
        guard = guard_of(item.patch, exact)
        placement = place_as_stated(item, guard, lines, exact, edit["knowledge"])
        if placement.fault is not None:
            return Rebuilt([], [placement.fault], [], 0)
        start, end = placement.place
        added = new_lines(edit, item, lines, placement.place, majority)
        lines[start:end] = added
        owners[start:end] = [item] * len(added)
        removed_lines += end - start
    pieces = []
    for line, owner in zip(lines, owners):
        if not pieces or pieces[-1].patch is not owner:
            pieces.append(Piece([], owner))
        pieces[-1].lines.append(line)
    return Rebuilt(pieces, [], [], removed_lines)


# The outcome of one file.


def is_binary(data: bytes) -> bool:
    return data.startswith(UTF16_MARKS) or b"\0" in data[:BINARY_PROBE_BYTES]


def edit_text(edit: dict):
    """The patched bytes with what belongs to them, or the faults: (bytes, shifts, removed_lines, faults)."""
    data, mode = edit["bytes"], edit["mode"]
    if is_binary(data):
        message = "holds no lines; only replace can change it"
        return b"", [], 0, [file_fault(edit["path"], "binary_file", message)]
    mark = BYTE_ORDER_MARK if mode == "lines" and data.startswith(BYTE_ORDER_MARK) else b""
    lines = split_lines(data[len(mark) :])
    majority = majority_ending(lines)
    rebuild = rebuild_from_snapshot if edit["coordinates"] == "snapshot" else rebuild_in_turn
    rebuilt = rebuild(edit, lines, majority)
    faults = encoding_faults(edit) + rebuilt.faults
    if not faults and edit["is_complete"] and mode == "exact":
        faults = literal_faults(rebuilt.pieces)
    if faults or not edit["is_complete"]:
        return b"", [], 0, faults
    if mode == "exact":
        outcome = b"".join(line for piece in rebuilt.pieces for line in piece.lines)
    else:
        outcome = mark + join_lines(rebuilt.pieces, lines, edit["eof"], majority)
    return outcome, rebuilt.shifts, rebuilt.removed_lines, []


def encoding_faults(edit: dict) -> list:
    beyond_ascii = [
        item
        for item in edit["patches"]
        if item.patch.get("block_encoding") != "base64" and not item.block.isascii()
    ]
    if not beyond_ascii or is_utf8(edit["bytes"]):
        return []
    message = "block is not ASCII, and the file is not UTF-8"
    return [patch_fault(item, "encoding_mismatch", message) for item in beyond_ascii]


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def literal_faults(pieces: list) -> list:
    """The faults of a literal outcome: a line that does not end, and is not the last."""
    faults, follows_open_line = [], False
    for at, piece in enumerate(pieces):
        if follows_open_line and piece.patch is not None:
            message = "the last line of the file has no ending"
            faults.append(patch_fault(piece.patch, "append_after_unterminated_line", message))
        if at == len(pieces) - 1 or piece.lines[-1].endswith(b"\n"):
            continue
        if piece.patch is None:
            follows_open_line = True
        else:
            message = "block has no final newline and does not end the file"
            faults.append(patch_fault(piece.patch, "unterminated_block", message))
    return faults


def join_lines(pieces: list, lines: list, eof: str, majority: bytes) -> bytes:
    """The outcome in mode `lines`: every line but the last has an ending, and `eof` decides about the last."""
    outcome = [line for piece in pieces for line in piece.lines]
    missing_ending = ending_at(lines, len(lines) - 2) or majority
    for at, line in enumerate(outcome):
        wants_ending = at < len(outcome) - 1 or ends_with_newline(pieces, lines, eof)
        if not wants_ending:
            outcome[at] = without_ending(line)
        elif not line.endswith(b"\n"):
            outcome[at] = line + missing_ending
    return b"".join(outcome)


def ends_with_newline(pieces: list, lines: list, eof: str) -> bool:
    """A file of no lines has no final newline to preserve: it ends as the block that becomes its last line."""
    if eof != "preserve":
        return eof == "present"
    return lines[-1].endswith(b"\n") if lines else pieces[-1].patch.block.endswith(b"\n")


# The difference of two files.
# Both engines count steps alike, so that both give up at the same place.

COMPARISON_STEPS = 2_000_000
LONGEST_EDIT = 1_000

# Lines of the old side that give way to lines of the new side, counted from 0, ends excluded.
LineChange = collections.namedtuple("LineChange", "old_from old_to new_from new_to")


class Comparison:
    """The lines of two files as numbers, equal where the lines are. `steps` is what may still be spent on them."""

    def __init__(self, before: bytes, after: bytes):
        numbers = {}
        self.old = [numbers.setdefault(line, len(numbers)) for line in split_lines(before)]
        self.new = [numbers.setdefault(line, len(numbers)) for line in split_lines(after)]
        self.steps = COMPARISON_STEPS


def diff_lines(before: bytes, after: bytes) -> list:
    """How the lines of one file become those of another: in order, never touching each other.

    Lines that are in both sides once each are matched first, the rest by the shortest edit. What would take too long
    is one replacement.
    """
    sides = Comparison(before, after)
    found, boxes = [], [LineChange(0, len(sides.old), 0, len(sides.new))]
    while boxes:
        box = trimmed_box(boxes.pop(), sides)
        old_count, new_count = box.old_to - box.old_from, box.new_to - box.new_from
        if old_count == 0 or new_count == 0:
            found += [box] if old_count or new_count else []
            continue
        parts = anchored_parts(box, sides)
        if parts is None:
            found += shortest_edit(box, sides)
        else:
            boxes += reversed(parts)
    return joined_changes(found)


def trimmed_box(box: LineChange, sides: Comparison) -> LineChange:
    """Without the lines that both sides begin and end with."""
    old_from, old_to, new_from, new_to = box
    while old_from < old_to and new_from < new_to and sides.old[old_from] == sides.new[new_from]:
        old_from, new_from = old_from + 1, new_from + 1
    while old_from < old_to and new_from < new_to and sides.old[old_to - 1] == sides.new[new_to - 1]:
        old_to, new_to = old_to - 1, new_to - 1
    return LineChange(old_from, old_to, new_from, new_to)


def joined_changes(changes: list) -> list:
    whole = []
    for change in changes:
        if whole and (whole[-1].old_to, whole[-1].new_to) == (change.old_from, change.new_from):
            whole[-1] = whole[-1]._replace(old_to=change.old_to, new_to=change.new_to)
        else:
            whole.append(change)
    return whole


def anchored_parts(box: LineChange, sides: Comparison):
    """The parts between the lines that are on either side once each and in the same order on both (patience diff).

    None when there is no such line, or no step left.
    """
    sides.steps -= box.old_to - box.old_from + box.new_to - box.new_from
    if sides.steps < 0:
        return None
    places = single_places(sides.new, box.new_from, box.new_to)
    pairs = [
        (old, places[kind])
        for kind, old in single_places(sides.old, box.old_from, box.old_to).items()
        if old >= 0 and places.get(kind, -1) >= 0
    ]
    return changes_between(longest_rise(pairs), box, True) if pairs else None


def single_places(lines: list, start: int, end: int) -> dict:
    """Where each kind of line first stands, in that order; -1 when it stands there more than once."""
    places = {}
    for at in range(start, end):
        kind = lines[at]
        places[kind] = -1 if kind in places else at
    return places


def longest_rise(pairs: list) -> list:
    """The longest run of pairs, not necessarily neighbours, whose new places rise as their old places do."""
    ends, end_places, previous = [], [], []
    for at, (_, place) in enumerate(pairs):
        length = bisect.bisect_left(end_places, place)
        previous.append(ends[length - 1] if length > 0 else -1)
        ends[length : length + 1] = [at]
        end_places[length : length + 1] = [place]
    rise, at = [], ends[-1]
    while at >= 0:
        rise.append(pairs[at])
        at = previous[at]
    return rise[::-1]


def changes_between(kept: list, box: LineChange, with_empty: bool) -> list:
    """What lies between lines that are kept, which are pairs of places."""
    changes, old_from, new_from = [], box.old_from, box.new_from
    for old_to, new_to in [*kept, (box.old_to, box.new_to)]:
        if with_empty or old_from < old_to or new_from < new_to:
            changes.append(LineChange(old_from, old_to, new_from, new_to))
        old_from, new_from = old_to + 1, new_to + 1
    return changes


def shortest_edit(box: LineChange, sides: Comparison) -> list:
    """The fewest lines to take out and to put in (Myers 1986), or one replacement when that is too far to look for."""
    # A line that is on one side only is never kept, so it need not be compared.
    old_kinds = set(sides.old[box.old_from : box.old_to])
    new_kinds = set(sides.new[box.new_from : box.new_to])
    old_places = [at for at in range(box.old_from, box.old_to) if sides.old[at] in new_kinds]
    new_places = [at for at in range(box.new_from, box.new_to) if sides.new[at] in old_kinds]
    if not old_places:
        return [box]
    old = [sides.old[at] for at in old_places]
    new = [sides.new[at] for at in new_places]
    rows = edit_rows(old, new, sides)
    if rows is None:
        return [box]
    kept = [(old_places[a], new_places[b]) for a, b in retraced(old, new, rows)]
    return changes_between(kept, box, False)


def edit_rows(old: list, new: list, sides: Comparison):
    """How far each diagonal gets with 0, 1, 2 changes and so on, until both ends are reached; None when too far.

    The entry `k + d` of the d-th row is of diagonal k, on which the old place is k ahead of the new one.
    """
    old_count, new_count = len(old), len(new)
    rows = []
    for d in range(min(old_count + new_count, LONGEST_EDIT) + 1):
        if sides.steps < 0:
            return None
        row = [0] * (2 * d + 1)
        rows.append(row)
        before = rows[d - 1]
        for k in range(-d, d + 1, 2):
            start = leaving_at(before, d, k) if d > 0 else 0
            at = start
            while at < old_count and 0 <= at - k < new_count and old[at] == new[at - k]:
                at += 1
            sides.steps -= 1 + at - start
            row[k + d] = at
            if at >= old_count and at - k >= new_count:
                return rows
    return None


def puts_in(before: list, d: int, k: int) -> bool:
    """True when the d-th change on the way to diagonal k puts a line in, false when it takes one out."""
    return k == -d or (k != d and before[k + d - 2] < before[k + d])


def leaving_at(before: list, d: int, k: int) -> int:
    """The old place at which the d-th change leaves one on diagonal k."""
    return before[k + d] if puts_in(before, d, k) else before[k + d - 2] + 1


def retraced(old: list, new: list, rows: list) -> list:
    """The lines that are kept, as pairs of places, in order."""
    kept, old_at, k = [], len(old), len(old) - len(new)
    for d in range(len(rows) - 1, -1, -1):
        before = rows[d - 1]
        start = leaving_at(before, d, k) if d > 0 else 0
        kept += [(at, at - k) for at in range(old_at - 1, start - 1, -1)]
        if d > 0:
            step = 1 if puts_in(before, d, k) else -1
            old_at = before[k + d - 1 + step]
            k += step
    return kept[::-1]


# Three-way merge by lines.

Merge = collections.namedtuple("Merge", "bytes hunks marked")
# A stretch of the base that at least one side changes, and what stands there on each side: (start, end) pairs.
Region = collections.namedtuple("Region", "base ours theirs changed_by")


def merge_lines(base: bytes, ours: bytes, theirs: bytes, labels=("ours", "base", "theirs")) -> Merge:
    """What one side changes is taken, what both change alike is taken once (diff3).

    `bytes` is None for a conflict, which has hunks and the text with the conflicts marked; a binary file has neither.
    """
    if ours == theirs or base == theirs:
        return Merge(ours, [], None)
    if base == ours:
        return Merge(theirs, [], None)
    if any(map(is_binary, (base, ours, theirs))):
        return Merge(None, [], None)
    base_lines, our_lines, their_lines = map(split_lines, (base, ours, theirs))
    parts, hunks, following = [], [], 0
    for region in merge_regions(diff_lines(base, ours), diff_lines(base, theirs)):
        parts += base_lines[following : region.base[0]]
        our, their = our_lines[slice(*region.ours)], their_lines[slice(*region.theirs)]
        if region.changed_by == {"ours"}:
            parts += our
        elif region.changed_by == {"theirs"} or our == their:
            parts += their
        else:
            names = ("base", "ours", "theirs")
            hunks.append({name: line_span(*getattr(region, name)) for name in names})
            parts += marked_conflict(our, base_lines[slice(*region.base)], their, labels)
        following = region.base[1]
    merged = b"".join(parts + base_lines[following:])
    return Merge(None, hunks, merged) if hunks else Merge(merged, [], None)


def merge_regions(ours: list, theirs: list) -> list:
    """Changes of both sides that share a line of the base, or touch, make one region."""
    changes = [("ours", change) for change in ours] + [("theirs", change) for change in theirs]
    changes.sort(key=lambda one: one[1][:2])
    regions, shift, at = [], {"ours": 0, "theirs": 0}, 0
    while at < len(changes):
        first, (start, end) = at, changes[at][1][:2]
        while at < len(changes) and changes[at][1].old_from <= end:
            end = max(end, changes[at][1].old_to)
            at += 1
        group = changes[first:at]
        ranges = {}
        for side in shift:
            side_start = start + shift[side]
            shift[side] += sum(
                change.new_to - change.new_from - (change.old_to - change.old_from)
                for name, change in group
                if name == side
            )
            ranges[side] = (side_start, end + shift[side])
        changed_by = {name for name, _ in group}
        regions.append(Region((start, end), ranges["ours"], ranges["theirs"], changed_by))
    return regions


def line_span(start: int, end: int) -> dict:
    """Counted from 1; where there are no lines it is the line that they would follow."""
    return {"start": start + 1 if end > start else start, "lines": end - start}


def marked_conflict(ours: list, base: list, theirs: list, labels) -> list:
    our_label, base_label, their_label = (label.encode("utf-8") + b"\n" for label in labels)
    return [
        b"<<<<<<< " + our_label,
        *ended(ours),
        b"||||||| " + base_label,
        *ended(base),
        b"=======\n",
        *ended(theirs),
        b">>>>>>> " + their_label,
    ]


def ended(lines: list) -> list:
    """So that a marker stands on a line of its own."""
    return [line if line.endswith(b"\n") else line + b"\n" for line in lines]


# The outcome of a set.

# `merged` is the path of a file that a three-way merge brought together with the set, `conflicts` where that failed.
FileOutcome = collections.namedtuple(
    "FileOutcome", "after shifts removed_lines faults merged conflicts", defaults=((), ())
)
NO_FILE = TreeFile(b"", "100644")


class MemoryTree:
    """Files in a dict, path -> TreeFile."""

    def __init__(self, files: dict):
        self.files = files

    def read(self, path: str):
        return self.files.get(path)

    def holds_directory(self, path: str, vacated: set) -> bool:
        """A mapping of files has no directories of its own."""
        return False


def apply_patch_input(given, tree, policy: Policy, base_tree=None) -> dict:
    """Computes what a set, or a payload of the seed plan, makes of a tree. Nothing is written.

    `base_tree` holds the files that the set was made for; with it, a file that changed since is merged where nothing
    else finds a place. Answers {"kind": "applied", "files": {path: TreeFile or None}, "shifts": [...],
    "merged": [path], "origins": {path: path}, "set": the set}, {"kind": "already_applied"} or
    {"kind": "refused", "faults": [...], "conflicts": [...]} with the faults of every stage together.
    """
    given = set_from_seed_payload(given)
    oversize = oversize_fault(given, policy)
    if oversize is not None:
        return refused([oversize])
    return apply_salvaged(salvage_patch_set(given), tree, policy, base_tree)


def oversize_fault(given, policy: Policy):
    """Text has at least as many bytes as UTF-16 units, so a set far too large is refused before it is read.

    None says nothing: the bytes are counted later.
    """
    if not isinstance(given, dict):
        return None
    patches, files = given.get("patches"), given.get("files")
    least = 0
    for patch in patches if isinstance(patches, list) else []:
        if isinstance(patch, dict):
            least += least_bytes(patch.get("block"), patch.get("block_encoding") == "base64")
    for file in files.values() if isinstance(files, dict) else []:
        content = file.get("content") if isinstance(file, dict) else None
        if isinstance(content, dict):
            least += least_bytes(content.get("text"), False) + least_bytes(content.get("base64"), True)
    limit = policy.limits["patch_bytes"]
    return set_fault("too_large", f"more than {limit} bytes") if least > limit else None


def least_bytes(text, is_base64: bool) -> int:
    if not isinstance(text, str):
        return 0
    units = len(text) if text.isascii() else len(code_units(text)) // 2
    return max(0, units // 4 * 3 - 2) if is_base64 else units


def apply_salvaged(salvaged: Salvaged, tree, policy: Policy, base_tree=None) -> dict:
    if salvaged.set is None:
        return refused(salvaged.faults)
    review = review_patch_set(salvaged.set, salvaged.patches, policy)
    faults = salvaged.faults + review.faults
    if any(fault["code"] == "too_large" for fault in faults):
        return refused(faults)

    files = [file for file in review.files if file.is_readable and file.path not in salvaged.unreadable]
    if not faults and is_already_applied(files, tree):
        return {"kind": "already_applied"}

    renamed = {file.file.get("from") for file in review.files if file.file["op"] == "rename"}
    deleted = {file.path for file in review.files if file.file["op"] == "delete"}
    after, shifts, lines = dict.fromkeys(renamed), [], review.added_lines
    merged, conflicts = [], []
    for file in files:
        outcome = file_outcome(file, salvaged, (tree, base_tree), policy, (renamed, deleted))
        faults += outcome.faults
        shifts += outcome.shifts
        merged += outcome.merged
        conflicts += outcome.conflicts
        lines += outcome.removed_lines
        after[file.path] = outcome.after
    limit = policy.limits["changed_lines"]
    faults += over_limit("changed lines", lines, limit)
    if faults:
        return {**refused(faults), **({"conflicts": conflicts} if conflicts else {})}
    paths = sorted(after, key=code_units)
    changed = {path: after[path] for path in paths if after[path] != tree.read(path)}
    origins = {file.path: file.file["from"] for file in review.files if "from" in file.file}
    outcome = {"kind": "applied", "files": changed, "shifts": shifts, "merged": merged}
    return {**outcome, "origins": origins, "set": salvaged.set}


def refused(faults: list) -> dict:
    return {"kind": "refused", "faults": order_faults(faults)}


def is_already_applied(files: list, tree) -> bool:
    """True when every file of the set says what it ends as, and each is so already."""
    # That all deleted files are absent says nothing: perhaps they never were there.
    if not any("sha256" in file.file.get("post", {}) for file in files):
        return False
    paths = {file.path for file in files}
    return all(holds_already(file, paths, tree) for file in files)


def holds_already(reviewed: ReviewedFile, paths: set, tree) -> bool:
    file, actual = reviewed.file, tree.read(reviewed.path)
    if file["op"] == "delete" or actual is None:
        return file["op"] == "delete" and actual is None
    if file.get("mode", actual.mode) != actual.mode:
        return False
    leaves_source = file["op"] == "rename" and file["from"] not in paths
    if leaves_source and tree.read(file["from"]) is not None:
        return False
    return sha256_hex(actual.bytes) == file.get("post", {}).get("sha256")


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def file_outcome(reviewed, salvaged: Salvaged, trees: tuple, policy: Policy, vacated: tuple) -> FileOutcome:
    """What one file of the set becomes. No other file's outcome is looked at."""
    path, file = reviewed.path, reviewed.file
    tree, base_tree = trees
    in_the_way = existence_faults(path, file, tree, *vacated)
    if in_the_way:
        return refuse_file(path, in_the_way)
    source = None if file["op"] == "create" else tree.read(file.get("from", path))
    knowledge = knowledge_of(file, source, policy)
    outcome = outcome_over(source or NO_FILE, reviewed, knowledge, salvaged)
    is_refused = bool(outcome.faults) or not is_judged(reviewed, salvaged)
    if knowledge in TRUSTED or not is_refused or base_tree is None:
        return outcome
    return merged_outcome(source, reviewed, salvaged, policy, base_tree) or outcome


def refuse_file(path: str, found: list) -> FileOutcome:
    return FileOutcome(None, [], 0, [file_fault(path, code, message) for code, message in found])


def merged_outcome(actual: TreeFile, reviewed, salvaged: Salvaged, policy: Policy, base_tree):
    """What the set makes of the base, put into the file as it is; None when there is no base to merge with."""
    path, file = reviewed.path, reviewed.file
    base = base_tree.read(file.get("from", path))
    if base is None or base.mode in (SYMLINK_MODE, SPECIAL_MODE):
        return None
    knowledge = knowledge_of(file, base, policy._replace(base_is_head=True))
    if knowledge not in TRUSTED:
        return None
    wanted = outcome_over(base, reviewed, knowledge, salvaged)
    if wanted.faults or not is_judged(reviewed, salvaged):
        return wanted
    mismatches = encoding_faults({"bytes": actual.bytes, "patches": reviewed.prepared})
    if mismatches:
        return FileOutcome(None, [], 0, mismatches)
    if wanted.after is None:
        return refuse_merge(path, Merge(None, [], None), "it is deleted here and changed there")
    merge = merge_lines(base.bytes, actual.bytes, wanted.after.bytes, (path, "base", "patch"))
    if merge.bytes is None:
        return refuse_merge(path, merge, conflict_places(merge.hunks))
    mode = actual.mode if wanted.after.mode == base.mode else wanted.after.mode
    return FileOutcome(TreeFile(merge.bytes, mode), [], wanted.removed_lines, [], [path])


def refuse_merge(path: str, merge: Merge, because: str) -> FileOutcome:
    message = f"it changed since, and a three-way merge does not mend it: {because}"
    conflict = {"file": path, "hunks": merge.hunks, "marked": merge.marked}
    return FileOutcome(None, [], 0, [file_fault(path, "conflict", message)], [], [conflict])


def conflict_places(hunks: list) -> str:
    if not hunks:
        return "it is binary"
    places = " ".join(f"{hunk['ours']['start']},{hunk['ours']['lines']}" for hunk in hunks[:10])
    return f"conflicts at {places}{' …' if len(hunks) > 10 else ''} (line,count)"


def outcome_over(before: TreeFile, reviewed, knowledge: str, salvaged: Salvaged) -> FileOutcome:
    path, file = reviewed.path, reviewed.file
    staleness = entry_staleness(reviewed, salvaged.set, before, knowledge)
    if staleness is not None:
        return refuse_file(path, [staleness])
    if file["op"] == "delete":
        return FileOutcome(None, [], line_count(before.bytes), [])

    data, shifts, removed_lines, faults = edited_bytes(reviewed, before.bytes, knowledge, salvaged)
    if faults:
        return FileOutcome(None, [], 0, faults)
    promised = file.get("post", {}).get("sha256")
    is_whole = is_judged(reviewed, salvaged)
    if knowledge in TRUSTED and is_whole and not shifts and promised is not None and promised != sha256_hex(data):
        return refuse_file(path, [("conflict", "the outcome is not the one that post names")])
    return FileOutcome(TreeFile(data, file.get("mode", before.mode)), shifts, removed_lines, [])


def is_judged(reviewed: ReviewedFile, salvaged: Salvaged) -> bool:
    """False when a patch is missing from the outcome, so that the outcome says nothing."""
    is_literal = reviewed.file["op"] == "delete" or "content" in reviewed.file
    return is_literal or is_complete(reviewed, salvaged)


def is_complete(reviewed: ReviewedFile, salvaged: Salvaged) -> bool:
    all_sound = len(reviewed.prepared) == len(reviewed.patches)
    return all_sound and reviewed.path not in salvaged.incomplete


def edited_bytes(reviewed: ReviewedFile, data: bytes, knowledge: str, salvaged: Salvaged):
    file = reviewed.file
    eof = file.get("eof", "preserve")
    if "content" in file:
        return content_bytes(file["content"]), [], line_count(data), []
    if not reviewed.patches and eof == "preserve" and reviewed.path not in salvaged.incomplete:
        return data, [], 0, []
    return edit_text(
        {
            "path": reviewed.path,
            "bytes": data,
            "patches": reviewed.prepared,
            "mode": salvaged.set["mode"],
            "coordinates": salvaged.set["coordinates"],
            "eof": eof,
            "knowledge": knowledge,
            "is_complete": is_complete(reviewed, salvaged),
        }
    )


def existence_faults(path: str, file: dict, tree, renamed: set, deleted: set) -> list:
    """What stands in the way in the tree as it is: something missing, something there, a symlink."""
    if file["op"] in ("edit", "replace", "delete"):
        return presence_faults(path, tree)
    source_faults_found = presence_faults(file["from"], tree) if "from" in file else []
    return source_faults_found + absence_faults(path, tree, renamed, deleted)


def presence_faults(path: str, tree) -> list:
    file = tree.read(path)
    if file is not None and file.mode == SYMLINK_MODE:
        return [("path_not_allowed", "symbolic links are not patched")]
    if file is not None and file.mode == SPECIAL_MODE:
        return [("path_not_allowed", "is neither a file nor a directory")]
    if file is not None:
        return []
    for directory in directories_of(path):
        above = tree.read(directory)
        if above is not None and above.mode == SYMLINK_MODE:
            return [("path_not_allowed", "lies below a symbolic link")]
    return [("missing_file", "there is no such file")]


def absence_faults(path: str, tree, renamed: set, deleted: set) -> list:
    if path not in renamed and tree.read(path) is not None:
        return [("file_exists", "the path is taken")]
    for directory in directories_of(path):
        above = tree.read(directory)
        if above is not None and above.mode == SYMLINK_MODE:
            return [("path_not_allowed", "lies below a symbolic link")]
        if above is not None and directory not in renamed and directory not in deleted:
            return [("file_exists", "a directory of the path is taken by a file")]
    if tree.holds_directory(path, renamed | deleted):
        return [("file_exists", "the path is taken by a directory")]
    return []


def knowledge_of(file: dict, source, policy: Policy) -> str:
    """What is known of the file that an entry starts from: `base`, `head`, `changed`, or `unknown`."""
    if source is None:
        return "base"
    pre = file.get("pre")
    unsaid = "head" if policy.base_is_head else "unknown"
    if not isinstance(pre, dict):
        return unsaid
    agrees = (
        pre.get("mode", source.mode) == source.mode
        and ("sha256" not in pre or pre["sha256"] == sha256_hex(source.bytes))
        and ("blob" not in pre or pre["blob"] == git_blob_id(source.bytes))
    )
    if not agrees:
        return "changed"
    return "base" if "sha256" in pre or "blob" in pre else unsaid


def entry_staleness(reviewed: ReviewedFile, patch_set: dict, actual: TreeFile, knowledge: str):
    """Why the entry as a whole cannot be trusted to a file that is not known to be its base.

    None when it can, or when each of its patches has to answer for itself by its own guard.
    """
    if knowledge in TRUSTED:
        return None
    file = reviewed.file
    edits_lines_only = file["op"] == "edit" and "mode" not in file and file.get("eof", "preserve") == "preserve"
    can_move = edits_lines_only and reviewed.patches and patch_set["coordinates"] == "snapshot"
    if knowledge == "unknown":
        if can_move or (edits_lines_only and not reviewed.patches):
            return None
        return ("unguarded", f"{file['op']} needs pre, or a base that is the head")
    same_mode = file["pre"].get("mode", actual.mode) == actual.mode
    exact = patch_set["mode"] == "exact"
    all_guarded = all(guard_of(item.patch, exact) is not None for item in reviewed.prepared)
    if can_move and same_mode and all_guarded:
        return None
    return ("stale", "the file is not the one that pre names")


# The inverse of an applied set.

# Blocks of an inverse set come from no agent.
INVERSE_METADATA = {"provider": "patch-manager"}
FileStates = collections.namedtuple("FileStates", "before after")


def invert_patch_set(outcome: dict, tree) -> dict:
    """The set that takes an applied set back: on the files as they are afterwards it makes the files as they were.

    `outcome` is the answer `applied` of apply_patch_input, `tree` the tree before the set.
    """
    patch_set, changes = outcome["set"], outcome["files"]
    files = patch_set["files"]
    renames = [(file["from"], path) for path, file in files.items() if file["op"] == "rename"]
    paths = set(changes).union(*renames)
    before = {path: tree.read(path) for path in paths}
    states = FileStates(before, {path: changes.get(path, before[path]) for path in paths})
    kept = invertible_renames(renames, states)
    built = {source: renamed_back(source, path, states) for source, path in kept}
    for path in paths.difference(*kept):
        restoring = restored_file(path, states)
        if restoring is not None:
            built[path] = restoring
    in_order = sorted(built, key=code_units)
    return {
        "schema": "aipatch/1",
        "id": f"{patch_set['id']}:inverse",
        "task_id": patch_set["task_id"],
        "mode": "exact",
        "coordinates": "snapshot",
        "base": {name: value for name, value in patch_set["base"].items() if name != "commit"},
        "files": {path: built[path][0] for path in in_order},
        "patches": [
            {"task_id": patch_set["task_id"], "file": path, **patch, "metadata": INVERSE_METADATA}
            for path in in_order
            for patch in built[path][1]
        ],
    }


def invertible_renames(renames: list, states: FileStates) -> list:
    """The renames that can be taken back as renames. The others are taken back by what their files hold.

    Those are: where another file stands at the old path by now, where one stood at the new path that does not return
    by a rename, and where patches cannot say the difference.
    """
    kept = [pair for pair in renames if is_sayable_rename(*pair, states)]
    while True:
        vacated, refilled = {path for _, path in kept}, {source for source, _ in kept}
        fitting = [
            (source, path)
            for source, path in kept
            if (states.after[source] is None or source in vacated)
            and (states.before[path] is None or path in refilled)
        ]
        if len(fitting) == len(kept):
            return kept
        kept = fitting


def is_sayable_rename(source: str, path: str, states: FileStates) -> bool:
    now, then = states.after[path], states.before[source]
    if now is None or then is None:
        return False
    return now.bytes == then.bytes or is_editable(now.bytes, then.bytes)


def is_editable(before: bytes, after: bytes) -> bool:
    """True when patches can make `after` of `before`: one has lines, and no block would hold a NUL."""
    return not is_binary(before) and b"\0" not in after


def renamed_back(source: str, path: str, states: FileStates) -> tuple:
    now, then = states.after[path], states.before[source]
    # The mode is told in any case: where files of the same bytes change places, it alone tells them apart.
    guards = {**inverse_guards(now, then), "mode": then.mode}
    return {"op": "rename", "from": path, **guards}, operations_between(now.bytes, then.bytes)


def restored_file(path: str, states: FileStates):
    """The entry of a file and its patches; None when the path is as it was."""
    now, then = states.after[path], states.before[path]
    if now == then:
        return None
    if then is None:
        return {"op": "delete", "pre": pre_of(now)}, []
    if now is None:
        promise = {"post": {"sha256": sha256_hex(then.bytes)}, "mode": then.mode}
        return {"op": "create", "pre": "absent", **promise, "content": content_of(then.bytes)}, []
    guards = inverse_guards(now, then)
    if now.bytes == then.bytes or is_editable(now.bytes, then.bytes):
        return {"op": "edit", **guards}, operations_between(now.bytes, then.bytes)
    return {"op": "replace", **guards, "content": content_of(then.bytes)}, []


def inverse_guards(now: TreeFile, then: TreeFile) -> dict:
    mode = {} if now.mode == then.mode else {"mode": then.mode}
    return {"pre": pre_of(now), "post": {"sha256": sha256_hex(then.bytes)}, **mode}


def pre_of(file: TreeFile) -> dict:
    return {"sha256": sha256_hex(file.bytes), "mode": file.mode}


def content_of(data: bytes) -> dict:
    if is_utf8(data):
        return {"text": data.decode("utf-8")}
    return {"base64": base64_text(data)}


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def operations_between(before: bytes, after: bytes) -> list:
    """What makes one file of the other, in mode `exact`, without the fields that all patches have alike."""
    old, new = split_lines(before), split_lines(after)
    file_is_utf8 = is_utf8(before)
    operations = []
    for change in diff_lines(before, after):
        removed = b"".join(old[change.old_from : change.old_to])
        added = b"".join(new[change.new_from : change.new_to])
        if removed:
            expect = {"expect": {"block": removed.decode("utf-8")}} if is_utf8(removed) else {}
            place = {"operation": "replace-block", "start": change.old_from + 1, "end": change.old_to, **expect}
        else:
            place = {"operation": "insert-after", "line": change.old_from}
        operations.append({**place, **block_of(added, file_is_utf8)})
    return operations


def block_of(data: bytes, file_is_utf8: bool) -> dict:
    if data.isascii() or (file_is_utf8 and is_utf8(data)):
        return {"block": data.decode("utf-8")}
    return {"block": base64_text(data), "block_encoding": "base64"}


# Canonical JSON and the content key.

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def content_key(patch_set: dict) -> str:
    """What a set is, without its ids: the SHA-256 of the canonical JSON of base, files and patches."""
    content = {name: patch_set[name] for name in ("base", "files", "patches")}
    return sha256_hex(canonical_json(content).encode("utf-8"))


def canonical_json(value) -> str:
    """Canonical JSON as RFC 8785 has it."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: code_units(member[0]))
        return "{" + ",".join(f"{canonical_json(key)}:{canonical_json(one)}" for key, one in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical_json, value)) + "]"
    if isinstance(value, float):
        return ecmascript_number(value)
    return LONE_SURROGATE.sub(escaped_surrogate, json.dumps(value, ensure_ascii=False))


def escaped_surrogate(match) -> str:
    return f"\\u{ord(match.group()):04x}"


def ecmascript_number(value: float) -> str:
    """A number from 0 to 1. The shortest digits are the same in both languages, where the exponent begins is not."""
    if value == int(value):
        return str(int(value))
    _, digits, exponent = decimal.Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    point = len(digits) + exponent
    if point > -6:
        return "0." + "0" * -point + text
    return text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e-{1 - point}"


# The tree on disk.
# Every step goes from one directory to the next by descriptor and follows no symlink, so that no path, and no change
# made to the tree meanwhile, leads out of the root.

OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NO_SUCH_DIRECTORY = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class UnreadableInput(Exception):
    """Wrong usage, or input that is no JSON: exit status 2."""


class ApplyFailure(Exception):
    """Reading or writing failed: exit status 3. `is_restored` says whether the tree is as it was."""

    def __init__(self, message: str, is_restored: bool = True):
        super().__init__(message)
        self.is_restored = is_restored


def encoded(name: str) -> bytes:
    return name.encode("utf-8")


@contextlib.contextmanager
def opened_directory(root: int, segments: list):
    """The descriptor of a directory below the root; raises OSError when there is none."""
    directory = os.open(b".", OPEN_DIRECTORY, dir_fd=root)
    try:
        for segment in segments:
            inner = os.open(encoded(segment), OPEN_DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
        yield directory
    finally:
        os.close(directory)


def split_path(path: str):
    *directories, name = path.split("/")
    return directories, encoded(name)


class DiskTree:
    """The files below a root. What was read is remembered, with what shows a later change."""

    def __init__(self, root: int):
        self.root = root
        self.files = {}
        self.status = {}

    def read(self, path: str):
        if path not in self.files:
            self.files[path] = self.read_from_disk(path)
        return self.files[path]

    def read_from_disk(self, path: str):
        directories, name = split_path(path)
        try:
            with opened_directory(self.root, directories) as directory:
                return self.read_entry(path, name, directory)
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return None
            raise

    def read_entry(self, path: str, name: bytes, directory: int):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            return None
        if stat.S_ISLNK(status.st_mode):
            return TreeFile(os.readlink(name, dir_fd=directory), SYMLINK_MODE)
        if not stat.S_ISREG(status.st_mode):
            return TreeFile(b"", SPECIAL_MODE)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(name, flags, dir_fd=directory), "rb") as file:
            self.status[path] = os.fstat(file.fileno())
            data = file.read()
        return TreeFile(data, "100755" if self.status[path].st_mode & stat.S_IXUSR else "100644")

    def holds_directory(self, path: str, vacated: set) -> bool:
        """True when a directory stands at the path, and something in it stays there."""
        try:
            with opened_directory(self.root, path.split("/")) as directory:
                return self.keeps_something(path, directory, vacated)
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return False
            raise

    def directories_below(self, path: str) -> list:
        """A directory with all that are in it; none when the path is no directory."""
        try:
            with opened_directory(self.root, path.split("/")) as directory, os.scandir(directory) as entries:
                inner = [f"{path}/{one.name}" for one in entries if one.is_dir(follow_symlinks=False)]
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return []
            raise
        return [path, *(below for one in inner for below in self.directories_below(one))]

    def keeps_something(self, path: str, directory: int, vacated: set) -> bool:
        with os.scandir(directory) as entries:
            for entry in entries:
                inner = f"{path}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    # The journal has to name what it removes, so a directory that no set can name stays.
                    if path_reason(inner) is not None or self.holds_directory(inner, vacated):
                        return True
                elif inner not in vacated:
                    return True
        return False


# Writing: a journal makes several files change as one.
# The journal is a directory beside the root. It gets the new files, and links to the old ones, before anything in the
# tree changes; then `plan.json` appears, and from there on the set counts as applied: a run that is killed is finished
# by the next. When a step fails, `plan.json` becomes `undo.json`, and every step is taken back. Both names go before
# the rest of the journal goes, and a journal with neither of them stands for a tree that needs nothing.

PLAN, UNDO = b"plan.json", b"undo.json"


class Journal:
    def __init__(self, root: int, location: str):
        self.root = root
        self.location = location
        self.directory = -1

    def recover(self) -> str:
        """Brings the tree to its old or its new state after an interrupted run; says which, or `nothing`."""
        if not os.path.lexists(self.location):
            return "nothing"
        self.open()
        try:
            if self.holds(UNDO):
                self.roll_back(self.read_plan(UNDO))
                return "undone"
            if not self.holds(PLAN):
                self.clear()
                return "nothing"
            self.roll_forward(self.read_plan(PLAN))
            return "finished"
        finally:
            self.close()

    def write(self, changes: dict, origins: dict, tree: DiskTree) -> None:
        """Applies changes, path -> TreeFile or None, all or none. Raises ApplyFailure.

        `origins` are the paths that renamed and copied files come from, whose permissions they keep.
        """
        try:
            os.mkdir(self.location, 0o700)
        except OSError as error:
            message = f"cannot make the journal {self.location}, --journal names another place: {reason_of(error)}"
            raise ApplyFailure(message) from error
        try:
            self.open()
        except ApplyFailure:
            os.rmdir(self.location)
            raise
        try:
            self.prepare_and_commit(changes, origins, tree)
        finally:
            self.close()

    def prepare_and_commit(self, changes: dict, origins: dict, tree: DiskTree) -> None:
        try:
            plan = self.prepare(changes, origins, tree)
            self.write_file(b"plan.tmp", json.dumps(plan).encode("ascii"), 0o600)
            os.rename(b"plan.tmp", PLAN, src_dir_fd=self.directory, dst_dir_fd=self.directory)
            os.fsync(self.directory)
        except BaseException as error:
            # Nothing in the tree has changed yet. Without a plan the rest of the journal is of no meaning.
            is_void = self.try_to_discard(PLAN)
            with contextlib.suppress(OSError):
                self.clear()
            if isinstance(error, OSError):
                raise ApplyFailure(f"cannot prepare the change: {reason_of(error)}", is_void) from error
            raise
        self.roll_forward(plan)

    # The journal directory itself

    def open(self) -> None:
        try:
            self.directory = os.open(self.location, OPEN_DIRECTORY)
        except OSError as error:
            raise ApplyFailure(f"cannot open the journal {self.location}: {reason_of(error)}", False) from error
        status = os.fstat(self.directory)
        is_ours = status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & 0o077 == 0
        if not is_ours or status.st_dev != os.fstat(self.root).st_dev:
            self.close()
            message = f"the journal {self.location} must be a directory of this user alone, on the tree's device"
            raise ApplyFailure(message)

    def close(self) -> None:
        if self.directory >= 0:
            os.close(self.directory)
        self.directory = -1

    def holds(self, name: bytes) -> bool:
        return exists_at(name, self.directory)

    def discard(self, name: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.directory)

    def try_to_discard(self, name: bytes) -> bool:
        with contextlib.suppress(OSError):
            self.discard(name)
        return not self.holds(name)

    def clear(self) -> None:
        for name in os.listdir(self.directory):
            self.discard(encoded(name))
        os.rmdir(self.location)

    def write_file(self, name: bytes, data: bytes, permissions: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self.directory)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fchmod(descriptor, permissions)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    # Before anything changes

    def prepare(self, changes: dict, origins: dict, tree: DiskTree) -> dict:
        removals = sorted(path for path, file in changes.items() if file is None)
        writes = sorted(path for path, file in changes.items() if file is not None)
        steps = []
        for number, path in enumerate(removals + writes):
            model = tree.status.get(origins.get(path, path))
            steps.append(self.prepare_step(number, path, changes[path], tree.status.get(path), model))
        written_directories = {directory for path in writes for directory in directories_of(path)}
        emptied = {directory for path in removals for directory in directories_of(path)}
        emptied.update(below for path in writes for below in tree.directories_below(path))
        return {
            "format": "aipatch-journal/1",
            "steps": steps,
            "made": sorted(one for one in written_directories if self.mode_of_directory(one) is None),
            "emptied": {one: self.mode_of_directory(one) for one in sorted(emptied - written_directories)},
        }

    def prepare_step(self, number: int, path: str, file, known, model) -> dict:
        """`known` is the status of the file that goes, `model` of the one whose owner and permissions stay."""
        old, new = f"old-{number}", f"new-{number}"
        if known is not None:
            self.keep_old(path, encoded(old), known)
        elif self.holds_entry(path):
            raise ApplyFailure(f"{json.dumps(path)} was made while the set was planned")
        if file is not None:
            self.write_file(encoded(new), file.bytes, permissions_for(file.mode, model))
            if model is not None:
                self.keep_owner(encoded(new), model)
        return {
            "path": path,
            "old": None if known is None else old,
            "new": None if file is None else new,
        }

    def keep_old(self, path: str, name: bytes, known) -> None:
        directories, target = split_path(path)
        with opened_directory(self.root, directories) as parent:
            try:
                os.link(target, name, src_dir_fd=parent, dst_dir_fd=self.directory, follow_symlinks=False)
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
                    raise
                self.copy_old(target, parent, name, known)
                return
        kept = os.stat(name, dir_fd=self.directory, follow_symlinks=False)
        if identity_of(kept) != identity_of(known):
            raise ApplyFailure(f"{json.dumps(path)} was changed while the set was planned")

    def copy_old(self, target: bytes, parent: int, name: bytes, known) -> None:
        """For file systems and owners that allow no link."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(target, flags, dir_fd=parent), "rb") as file:
            self.write_file(name, file.read(), stat.S_IMODE(known.st_mode))
        self.keep_owner(name, known)

    def keep_owner(self, name: bytes, known) -> None:
        """Possible for the superuser; for others the new file is theirs, as with any editor."""
        with contextlib.suppress(PermissionError):
            status = os.stat(name, dir_fd=self.directory, follow_symlinks=False)
            if (status.st_uid, status.st_gid) != (known.st_uid, known.st_gid):
                os.chown(name, known.st_uid, known.st_gid, dir_fd=self.directory, follow_symlinks=False)
                os.chmod(name, stat.S_IMODE(status.st_mode), dir_fd=self.directory)

    def holds_entry(self, path: str) -> bool:
        """True for anything but a directory."""
        directories, name = split_path(path)
        try:
            with opened_directory(self.root, directories) as parent:
                status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return False
            raise
        return not stat.S_ISDIR(status.st_mode)

    def mode_of_directory(self, path: str):
        try:
            with opened_directory(self.root, path.split("/")) as directory:
                return stat.S_IMODE(os.fstat(directory).st_mode)
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return None
            raise

    # Forward and back. Every step can be taken again after a crash in the middle of it.

    def read_plan(self, name: bytes) -> dict:
        """The journal is our own, but what it names is checked as any path is."""
        try:
            with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self.directory), "rb") as file:
                plan = json.loads(file.read().decode("ascii"))
            paths = [step["path"] for step in plan["steps"]] + plan["made"] + list(plan["emptied"])
            if plan["format"] != "aipatch-journal/1" or any(map(path_reason, paths)):
                raise ValueError("it names what no set can name")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ApplyFailure(f"cannot read the journal {self.location}: {error}", False) from error
        return plan

    def roll_forward(self, plan: dict) -> None:
        try:
            removals = [step for step in plan["steps"] if step["new"] is None]
            writes = [step for step in plan["steps"] if step["new"] is not None]
            for step in removals:
                self.remove(step["path"])
            for directory in sorted(plan["emptied"], key=len, reverse=True):
                self.remove_directory(directory)
            for step in writes:
                self.put(step["new"], step["path"])
            self.sync_directories(plan)
            self.discard(PLAN)
        except BaseException as error:
            self.roll_back(plan)
            if isinstance(error, OSError):
                raise ApplyFailure(f"cannot change the tree: {reason_of(error)}") from error
            raise
        self.tidy()

    def roll_back(self, plan: dict) -> None:
        try:
            if self.holds(PLAN):
                os.rename(PLAN, UNDO, src_dir_fd=self.directory, dst_dir_fd=self.directory)
            steps = plan["steps"][::-1]
            for step in steps:
                was_made = step["old"] is None and step["new"] is not None
                if was_made and not self.holds(encoded(step["new"])):
                    self.remove(step["path"])
            for directory in plan["made"][::-1]:
                self.remove_directory(directory)
            for directory, mode in sorted(plan["emptied"].items()):
                self.restore_directory(directory, mode)
            for step in steps:
                if step["old"] is not None:
                    self.put(step["old"], step["path"])
            self.sync_directories(plan)
            self.discard(UNDO)
        except OSError as error:
            message = f"cannot take the change back: {reason_of(error)}; run recover once this is mended"
            raise ApplyFailure(message, False) from error
        self.tidy()

    def tidy(self) -> None:
        """Nothing is left to do, so a failure here is none of the set; the next run clears the rest."""
        with contextlib.suppress(OSError):
            self.clear()

    def put(self, name: str, path: str) -> None:
        """Moves a file of the journal into the tree, unless that is done."""
        if not self.holds(encoded(name)):
            return
        directories, target = split_path(path)
        self.make_directories(directories)
        with opened_directory(self.root, directories) as parent:
            os.rename(encoded(name), target, src_dir_fd=self.directory, dst_dir_fd=parent)

    def remove(self, path: str) -> None:
        """Removes a file. A directory in its place is the set's own, from before a crash."""
        if not self.holds_entry(path):
            return
        directories, name = split_path(path)
        with opened_directory(self.root, directories) as parent:
            os.unlink(name, dir_fd=parent)

    def make_directories(self, segments: list) -> None:
        for count in range(len(segments)):
            with opened_directory(self.root, segments[:count]) as parent:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(encoded(segments[count]), dir_fd=parent)

    def remove_directory(self, path: str) -> None:
        """A directory that still holds something stays."""
        directories, name = split_path(path)
        try:
            with opened_directory(self.root, directories) as parent:
                os.rmdir(name, dir_fd=parent)
        except OSError as error:
            if error.errno not in (*NO_SUCH_DIRECTORY, errno.ENOTEMPTY, errno.EEXIST):
                raise

    def restore_directory(self, path: str, mode: int) -> None:
        actual = self.mode_of_directory(path)
        if actual == mode:
            return
        directories, name = split_path(path)
        with opened_directory(self.root, directories) as parent:
            if actual is None:
                os.mkdir(name, dir_fd=parent)
            os.chmod(name, mode, dir_fd=parent)

    def sync_directories(self, plan: dict) -> None:
        """So that the names are on the disk before the journal forgets them."""
        for parent in sorted({step["path"].rpartition("/")[0] for step in plan["steps"]}):
            try:
                with opened_directory(self.root, parent.split("/") if parent else []) as directory:
                    os.fsync(directory)
            except OSError as error:
                if error.errno not in NO_SUCH_DIRECTORY:
                    raise


def exists_at(name: bytes, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def identity_of(status) -> tuple:
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def permissions_for(mode: str, known) -> int:
    """The permissions that were there, with the execute bits that the mode asks for; else what the umask leaves."""
    is_executable = mode == "100755"
    if known is not None:
        permissions = stat.S_IMODE(known.st_mode) & 0o777
        if bool(permissions & stat.S_IXUSR) == is_executable:
            return permissions
        readable = (permissions & 0o444) >> 2
        return permissions | readable if is_executable else permissions & ~0o111
    return (0o777 if is_executable else 0o666) & ~current_umask()


def current_umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def reason_of(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


# Commands.


def parse_json(data: bytes, name: str):
    """JSON as JavaScript reads it: UTF-8 only, doubles only, no NaN. Raises UnreadableInput."""

    def number(text: str):
        value = float(text)
        is_whole = value.is_integer() and abs(value) <= LARGEST_WHOLE_NUMBER
        return int(value) if is_whole else value

    def constant(text: str):
        raise ValueError(f"{text} is not JSON")

    try:
        return json.loads(data.decode("utf-8"), parse_int=number, parse_float=number, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableInput(f"{name} is not JSON: {error}") from error


def read_input(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read()
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise UnreadableInput(f"cannot read {name}: {reason_of(error)}") from error


@contextlib.contextmanager
def locked_root(path: str, is_shared: bool):
    """The root and the place of its journal. One run at a time may write."""
    location = os.path.realpath(path)
    try:
        root = os.open(location, OPEN_DIRECTORY)
    except OSError as error:
        raise UnreadableInput(f"cannot open the root {path}: {reason_of(error)}") from error
    try:
        try:
            fcntl.flock(root, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            raise ApplyFailure("another run works on this root") from error
        yield root, journal_location(location)
    finally:
        os.close(root)


def journal_location(root: str) -> str:
    parent, name = os.path.split(root)
    return os.path.join(parent, f".{name}.aipatch-journal")


def run_set(arguments) -> dict:
    given = parse_json(read_input(arguments.set_file), "the set")
    if is_undo(given):
        raise UnreadableInput("this is an undo file: revert takes it")
    policy = policy_from(arguments)
    with contextlib.ExitStack() as opened:
        base_tree = None if arguments.base is None else opened.enter_context(tree_at(arguments.base))
        is_check = arguments.command == "check"
        return run_on_root(arguments, is_check, lambda tree: apply_patch_input(given, tree, policy, base_tree))


def run_revert(arguments) -> dict:
    """Applies the inverse of a set: the one of an undo file, or the one of a set and the tree that it was made for."""
    given = parse_json(read_input(arguments.set_file), "the undo file")
    if is_undo(given) == (arguments.base is not None):
        raise UnreadableInput(
            "an undo file says itself what was there before, --base is not needed"
            if is_undo(given)
            else "this is no undo file; to take a set back, name by --base the tree that it was made for"
        )
    policy = policy_from(arguments)
    with contextlib.ExitStack() as opened:
        if arguments.base is None:
            inverse, outcome_tree = given["set"], None
        else:
            base_tree = opened.enter_context(tree_at(arguments.base))
            outcome = apply_patch_input(given, base_tree, policy._replace(base_is_head=True))
            if outcome["kind"] == "already_applied":
                raise UnreadableInput("the tree that --base names holds the outcome of the set already")
            if outcome["kind"] == "refused":
                return outcome
            inverse = invert_patch_set(outcome, base_tree)
            outcome_tree = OverlaidTree(base_tree, outcome["files"])
        reverted = run_on_root(
            arguments,
            arguments.dry_run,
            lambda tree: apply_patch_input(inverse, tree, policy, outcome_tree),
        )
    return {**reverted, "kind": "reverted"} if reverted["kind"] == "applied" else reverted


def policy_from(arguments) -> Policy:
    return policy_of(
        arguments.allowed_path,
        getattr(arguments, "base_is_head", False),
        arguments.allow_protected,
        {name: getattr(arguments, f"max_{name}") for name in DEFAULT_LIMITS},
    )


@contextlib.contextmanager
def tree_at(path: str):
    try:
        directory = os.open(path, OPEN_DIRECTORY)
    except OSError as error:
        raise UnreadableInput(f"cannot open the directory {path}: {reason_of(error)}") from error
    try:
        yield DiskTree(directory)
    finally:
        os.close(directory)


class OverlaidTree:
    """A tree as it is after a set."""

    def __init__(self, tree, files: dict):
        self.tree, self.files = tree, files

    def read(self, path: str):
        return self.files[path] if path in self.files else self.tree.read(path)


def run_on_root(arguments, is_check: bool, compute) -> dict:
    """Computes an outcome for the tree at the root and, unless this is a check, writes it."""
    with locked_root(arguments.root, is_check) as (root, location):
        journal = Journal(root, arguments.journal or location)
        if is_check and os.path.lexists(journal.location):
            raise ApplyFailure("an interrupted run has to be recovered first: run recover or apply", False)
        recovered = "nothing" if is_check else journal.recover()
        tree = DiskTree(root)
        try:
            outcome = compute(tree)
            undo = None if is_check or arguments.undo is None else undo_of(outcome, tree)
        except OSError as error:
            raise ApplyFailure(f"cannot read the tree: {reason_of(error)}") from error
        if outcome["kind"] == "applied" and not is_check:
            with kept_undo(arguments.undo, undo):
                if outcome["files"]:
                    journal.write(outcome["files"], outcome["origins"], tree)
    recovery = {} if recovered == "nothing" else {"recovered": recovered}
    return {**shown_outcome(outcome), **recovery}


# Undo files: the inverse set of what was applied, so that it can be taken back later.

UNDO_FORMAT = "aipatch-undo/1"


def is_undo(given) -> bool:
    return isinstance(given, dict) and given.get("format") == UNDO_FORMAT and "set" in given


def undo_of(outcome: dict, tree):
    if outcome["kind"] != "applied":
        return None
    undo = {"format": UNDO_FORMAT, "of": content_key(outcome["set"]), "set": invert_patch_set(outcome, tree)}
    return json.dumps(undo).encode("ascii")


@contextlib.contextmanager
def kept_undo(path, data):
    """Puts the undo file in its place before the tree changes, so that no change is without one.

    A file that is there is not overwritten, unless it is the very one: then an interrupted run is tried again.
    """
    if path is None:
        yield
        return
    is_new = write_undo(path, data)
    try:
        yield
    except ApplyFailure as failure:
        if is_new and failure.is_restored:
            with contextlib.suppress(OSError):
                os.unlink(path)
        raise


def write_undo(path: str, data: bytes) -> bool:
    temporary = f"{path}.tmp"
    try:
        if os.path.lexists(path):
            with open(path, "rb") as file:
                if file.read() == data:
                    return False
            raise UnreadableInput(f"{path} is there already, and an undo file is not overwritten")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
        parent = os.open(os.path.dirname(path) or ".", OPEN_DIRECTORY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)
    except OSError as error:
        for name in (temporary, path):
            with contextlib.suppress(OSError):
                os.unlink(name)
        raise ApplyFailure(f"cannot write the undo file {path}: {reason_of(error)}") from error
    return True


def shown_outcome(outcome: dict) -> dict:
    if outcome["kind"] == "refused" and "conflicts" in outcome:
        conflicts = [
            {**one, "marked": None if one["marked"] is None else content_of(one["marked"])}
            for one in outcome["conflicts"]
        ]
        return {**outcome, "conflicts": conflicts}
    if outcome["kind"] != "applied":
        return outcome
    files = [
        {"path": path, "deleted": True}
        if file is None
        else {"path": path, "sha256": sha256_hex(file.bytes), "mode": file.mode}
        for path, file in outcome["files"].items()
    ]
    return {"kind": "applied", "files": files, "shifts": outcome["shifts"], "merged": outcome["merged"]}


def run_recover(arguments) -> dict:
    with locked_root(arguments.root, False) as (root, location):
        return {"kind": "recovered", "recovered": Journal(root, arguments.journal or location).recover()}


def run_vectors(arguments) -> dict:
    given = parse_json(read_input(arguments.file), arguments.file)
    vectors = given.get("vectors") if isinstance(given, dict) else None
    if not isinstance(vectors, list) or not vectors:
        raise UnreadableInput(f"{arguments.file} holds no vectors")
    try:
        return {"kind": "vectors", "vectors": [run_vector(vector) for vector in vectors]}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableInput(f"{arguments.file} holds a malformed vector: {error!r}") from error


def run_vector(vector: dict) -> dict:
    """One vector of the long form, or of the short form, whose one file is `file.txt` and known to be the base."""
    if "set" in vector:
        given, files = vector["set"], vector.get("files", {})
        base = given.get("base") if isinstance(given, dict) else None
        is_head = isinstance(base, dict) and "commit" in base
    else:
        given, files, is_head = short_set(vector), {"file.txt": vector["before"]}, True
    named = vector.get("policy", {})
    policy = policy_of(**{"base_is_head": is_head, **named})
    tree = vector_tree(files)
    base_tree = vector_tree(vector["base_files"]) if "base_files" in vector else None
    outcome = apply_patch_input(given, tree, policy, base_tree)
    salvaged = salvage_patch_set(set_from_seed_payload(given))
    key = None if salvaged.faults else content_key(salvaged.set)
    if outcome["kind"] == "applied":
        changes = {
            path: None if file is None else {"base64": base64_text(file.bytes), "mode": file.mode}
            for path, file in outcome["files"].items()
        }
        inverse = invert_patch_set(outcome, tree)
        moved = {"shifts": outcome["shifts"], "merged": outcome["merged"]}
        outcome = {"kind": "applied", "files": changes, **moved, "inverse": inverse}
    if "conflicts" in outcome:
        outcome["conflicts"] = [
            {**one, "marked": None if one["marked"] is None else base64_text(one["marked"])}
            for one in outcome["conflicts"]
        ]
    return {"name": vector["name"], **outcome, "content_key": key}


def vector_tree(files: dict) -> MemoryTree:
    return MemoryTree({path: vector_file(file) for path, file in files.items() if file is not None})


def short_set(vector: dict) -> dict:
    options = vector.get("options", {})
    filled = {"task_id": "vector", "file": "file.txt", "metadata": {"provider": "vector"}}
    return {
        "schema": "aipatch/1",
        "id": "vector",
        "task_id": "vector",
        "mode": options.get("mode", "lines"),
        "coordinates": options.get("coordinates", "snapshot"),
        "base": {},
        "files": {"file.txt": {"op": "edit", **({"eof": options["eof"]} if "eof" in options else {})}},
        "patches": [{**filled, **patch} for patch in vector["patches"]],
    }


def vector_file(file) -> TreeFile:
    """Text, or {text} or {base64} with an optional mode."""
    if isinstance(file, str):
        return TreeFile(file.encode("utf-8"), "100644")
    data = file["text"].encode("utf-8") if "text" in file else base64.b64decode(file["base64"], validate=True)
    return TreeFile(data, file.get("mode", "100644"))


# The command line.


class ArgumentParser(argparse.ArgumentParser):
    """Wrong usage is answered like other unreadable input, in JSON where that was asked for."""

    def __init__(self, **options):
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str):
        raise UnreadableInput(f"{message}; {' '.join(self.format_usage().split())}")


HELP = """\
Checks and applies patch sets of the format aipatch/1 to a directory: a set is done whole or not at all.
It needs nothing but Python 3.9 on a POSIX system. The format is in docs/patch-format.md."""

EXAMPLES = """\
examples:
  See what a set would do, do it, and take it back:
    patch_manager.py check  --root project set.json
    patch_manager.py apply  --root project --undo undo.json set.json
    patch_manager.py revert --root project undo.json

  Let the project be that of the commit that the set names, so that patches need no guard:
    patch_manager.py apply --root project --base-is-head set.json

  The project moved on since the set was made; base holds the files of then:
    patch_manager.py apply --root project --base base set.json

exit status:
  0  done, or nothing was left to do; with check: it would be done
  1  refused: nothing changed, every reason is listed
  2  wrong usage, or input that cannot be read
  3  reading or writing failed; the tree is as it was, unless the message says otherwise

A run that was killed leaves the tree to the next one: apply, revert and recover first finish it or take it back."""

COMMANDS = {
    "apply": "Applies a set, all of it or nothing.",
    "check": "Says what apply would do. Nothing is written.",
    "revert": "Takes an applied set back, by the undo file that apply wrote, or by --base and the set itself.",
    "recover": "Finishes a run that was interrupted, or takes it back.",
    "vectors": "Runs a file of test vectors in memory.",
}


def argument_parser() -> argparse.ArgumentParser:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = ArgumentParser(
        prog="patch_manager.py", description=HELP, epilog=EXAMPLES, formatter_class=as_written
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, description=text)
    for name in ("apply", "check", "revert"):
        add_set_options(name, commands.choices[name])
    for name in ("apply", "check", "revert", "recover"):
        command = commands.choices[name]
        command.add_argument("--root", required=True, metavar="DIR", help="the directory to work on")
        command.add_argument("--journal", metavar="DIR", help="where the journal goes; default: beside the root")
    commands.choices["vectors"].add_argument("file", metavar="FILE", help="- is standard input")
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def add_set_options(name: str, command: argparse.ArgumentParser) -> None:
    command.add_argument("--allow-protected", action="store_true", help="a person has approved the set")
    command.add_argument(
        "--allowed-path",
        action="append",
        metavar="PATH",
        help="a path, directory or pattern that the set may change; may be given more than once; default: all",
    )
    if name == "revert":
        base_help = "the files that a set was made for; then UNDOFILE is that set"
        command.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    else:
        base_help = "the files that the set was made for; with them, files that changed since are merged"
        command.add_argument(
            "--base-is-head", action="store_true", help="the tree is that of base.commit, so patches need no guard"
        )
    command.add_argument("--base", metavar="DIR", help=base_help)
    if name != "check":
        command.add_argument("--undo", metavar="FILE", help="write what takes this change back to FILE, a new file")
    for limit in DEFAULT_LIMITS:
        command.add_argument(
            f"--max-{limit.replace('_', '-')}",
            type=int,
            metavar="N",
            help=f"refuse more {limit.replace('_', ' ')}; default: {DEFAULT_LIMITS[limit]}",
        )
    what = "UNDOFILE" if name == "revert" else "SETFILE"
    command.add_argument("set_file", nargs="?", default="-", metavar=what, help="default: standard input")


def text_of(outcome: dict) -> str:
    """What a person reads. Paths are quoted, since a hostile one could steer a terminal."""
    kind = outcome["kind"]
    if kind == "refused":
        lines = [f"refused for {counted(outcome['faults'], 'fault')}, nothing changed"]
        lines += [f"  {fault_text(fault)}" for fault in outcome["faults"]]
        return "\n".join(lines)
    if kind in ("applied", "reverted"):
        changed = [
            f"  {file.get('mode', 'deleted')} {json.dumps(file['path'])}" for file in outcome["files"]
        ]
        moved = [f"  patch {one['index']} moved by {one['lines']} lines" for one in outcome["shifts"]]
        merged = [f"  merged {json.dumps(path)}" for path in outcome["merged"]]
        return "\n".join([f"{kind}, {counted(changed, 'file')} changed", *changed, *moved, *merged])
    if kind == "vectors":
        return "\n".join(f"{json.dumps(one['name'])} {vector_text(one)}" for one in outcome["vectors"])
    return {"recovered": f"recovered: {outcome.get('recovered')}"}.get(kind, kind.replace("_", " "))


def counted(items: list, noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def fault_text(fault: Fault) -> str:
    where = "set" if fault["file"] is None else json.dumps(fault["file"])
    patch = "" if fault["index"] is None else f" patch {fault['index']}"
    return f"{where}{patch}: {fault['code']}: {fault['message']}"


def vector_text(outcome: dict) -> str:
    codes = [fault["code"] for fault in outcome.get("faults", [])]
    return " ".join([outcome["kind"], *codes])


def main(argv=None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    run = {
        "apply": run_set,
        "check": run_set,
        "revert": run_revert,
        "recover": run_recover,
        "vectors": run_vectors,
    }
    try:
        arguments = argument_parser().parse_args(argv)
        outcome = run[arguments.command](arguments)
        status = 1 if outcome["kind"] == "refused" else 0
    except UnreadableInput as error:
        outcome, status = {"kind": "unreadable", "message": str(error)}, 2
    except ApplyFailure as error:
        outcome = {"kind": "failed", "message": str(error), "restored": error.is_restored}
        status = 3
    if "--json" in argv:
        print(json.dumps(outcome))
    elif status in (2, 3):
        print(f"patch_manager.py: {json.dumps(outcome['message'])[1:-1]}", file=sys.stderr)
    else:
        print(text_of(outcome))
    return status


if __name__ == "__main__":
    sys.exit(main())
