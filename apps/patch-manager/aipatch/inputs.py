"""Reading what a command is given."""

from __future__ import annotations

import json
import sys

from .failures import UnreadableInput, reason_of
from .model import LARGEST_WHOLE_NUMBER


def parse_json(data: bytes, name: str):
    """JSON as JavaScript reads it: UTF-8 only, doubles only, no NaN. Raises UnreadableInput."""

    def number(text: str):
        value = float(text)
        is_whole = value.is_integer() and abs(value) <= LARGEST_WHOLE_NUMBER
        return int(value) if is_whole else value

    def constant(text: str):
        raise ValueError(f"{text} is not JSON")

    try:
        return json.loads(data.decode("utf-8"), parse_int=number, parse_float=number, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableInput(f"{name} is not JSON: {error}") from error


def read_input(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read()
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise UnreadableInput(f"cannot read {name}: {reason_of(error)}") from error
