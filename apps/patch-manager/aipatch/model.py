"""Limits, names, and the shapes that all stages hand to each other."""

from __future__ import annotations

import collections

DEFAULT_LIMITS = {"patch_bytes": 33_554_432, "files": 10_000, "changed_lines": 2_000_000}

# Lines that may be compared to find the patches of one file in a changed file.
SEARCHED_LINES = 20_000_000
SEQUENTIAL_PATCHES = 10_000
LARGEST_WHOLE_NUMBER = 2**53 - 1
BINARY_PROBE_BYTES = 8_000
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

PATCH_OPERATIONS = ("replace-block", "insert-before", "insert-after", "append")
FILE_OPERATIONS = ("edit", "create", "delete", "rename", "copy", "replace")
FILE_MODES = ("100644", "100755", "120000")
SYMLINK_MODE = "120000"
GITLINK_MODE = "160000"

# What the disk holds beside files and symlinks: pipes, sockets, devices. No set can say it.
SPECIAL_MODE = "special"
TreeFile = collections.namedtuple("TreeFile", "bytes mode")
IndexedPatch = collections.namedtuple("IndexedPatch", "index patch")
PreparedPatch = collections.namedtuple("PreparedPatch", "index patch block")
FileTask = collections.namedtuple("FileTask", "path file patches")
ReviewedFile = collections.namedtuple("ReviewedFile", "path file patches prepared is_readable")
Policy = collections.namedtuple("Policy", "allowed_paths base_is_head allow_protected limits")


def policy_of(allowed_paths=None, base_is_head=False, allow_protected=False, limits=None) -> Policy:
    given = {name: value for name, value in (limits or {}).items() if value is not None}
    return Policy(allowed_paths, base_is_head, allow_protected, {**DEFAULT_LIMITS, **given})
