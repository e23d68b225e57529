"""What can be made of unchecked input, with every fault of its form."""

from __future__ import annotations

import collections

from .faults import file_fault, set_fault
from .model import IndexedPatch
from .shape import FILE_SHAPE, PATCH_SHAPE, SET_SHAPE, field_use_faults

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
