"""The outcome of one file: what stands there, how stale it is, and what the set makes of it."""

from __future__ import annotations

import collections

from .content import content_bytes
from .faults import file_fault
from .guards import guard_of
from .hashes import git_blob_id, sha256_hex
from .lines import line_count
from .merge import Merge, merge_lines
from .model import SPECIAL_MODE, SYMLINK_MODE, Policy, ReviewedFile, TreeFile
from .paths import directories_of
from .placement import TRUSTED
from .salvage import Salvaged
from .text_edit import edit_text, encoding_faults

# `merged` is the path of a file that a three-way merge brought together with the set, `conflicts` where that failed.
FileOutcome = collections.namedtuple(
    "FileOutcome", "after shifts removed_lines faults merged conflicts", defaults=((), ())
)
NO_FILE = TreeFile(b"", "100644")


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
