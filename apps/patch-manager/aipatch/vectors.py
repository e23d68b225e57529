"""Vectors in memory, for the comparison of both engines."""

from __future__ import annotations

import base64

from .apply import MemoryTree, apply_patch_input
from .canonical import content_key
from .failures import UnreadableInput
from .inputs import parse_json, read_input
from .invert import base64_text, invert_patch_set
from .model import TreeFile, policy_of
from .salvage import salvage_patch_set, set_from_seed_payload


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
