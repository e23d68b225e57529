"""Canonical JSON and the content key."""

from __future__ import annotations

import decimal
import json
import re

from .faults import code_units
from .hashes import sha256_hex

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
