"""The inverse of an applied set."""

from __future__ import annotations

import base64
import collections

from .faults import code_units
from .hashes import sha256_hex
from .line_diff import diff_lines
from .lines import split_lines
from .model import TreeFile
from .text_edit import is_binary, is_utf8

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
