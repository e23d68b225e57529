"""The bytes that a set brings with it."""

from __future__ import annotations

import base64
import re

from .shape import is_well_formed


def content_bytes(content: dict):
    """None when the content is not well-formed, or not in the set itself."""
    if "text" in content:
        return content["text"].encode("utf-8") if is_well_formed(content["text"]) else None
    return decode_base64(content["base64"]) if "base64" in content else None


def decode_base64(text: str):
    if len(text) % 4 != 0 or not re.fullmatch("[A-Za-z0-9+/]*={0,2}", text):
        return None
    return base64.b64decode(text)
