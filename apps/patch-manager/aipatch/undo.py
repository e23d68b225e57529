"""Undo files: the inverse set of what was applied, so that it can be taken back later."""

from __future__ import annotations

import contextlib
import json
import os

from .canonical import content_key
from .disk_tree import OPEN_DIRECTORY
from .failures import ApplyFailure, UnreadableInput, reason_of
from .hashes import sha256_hex
from .invert import content_of, invert_patch_set

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
