"""The shape of the input.

A check takes a value and its name and answers (code, message) pairs.
"""

from __future__ import annotations

import re

from .faults import code_units
from .model import FILE_MODES, FILE_OPERATIONS, GITLINK_MODE, LARGEST_WHOLE_NUMBER, PATCH_OPERATIONS

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
