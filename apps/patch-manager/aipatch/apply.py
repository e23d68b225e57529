"""The outcome of a set."""

from __future__ import annotations

from .faults import code_units, order_faults, set_fault
from .file_outcome import file_outcome
from .hashes import sha256_hex
from .model import Policy, ReviewedFile
from .review import over_limit, review_patch_set
from .salvage import Salvaged, salvage_patch_set, set_from_seed_payload


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
