"""The lines of one file, and their endings."""

from __future__ import annotations


def split_lines(data: bytes) -> list:
    """Only LF ends a line; every line keeps its ending."""
    lines = data.split(b"\n")
    last = lines.pop()
    lines = [line + b"\n" for line in lines]
    return lines + [last] if last else lines


def line_count(data: bytes) -> int:
    return data.count(b"\n") + (0 if data.endswith(b"\n") or not data else 1)


def ending_of(line: bytes) -> bytes:
    """Empty when the line has no ending."""
    if line.endswith(b"\r\n"):
        return b"\r\n"
    return b"\n" if line.endswith(b"\n") else b""


def without_ending(line: bytes) -> bytes:
    return line[: len(line) - len(ending_of(line))]


def ending_at(lines: list, index: int) -> bytes:
    return ending_of(lines[index]) if 0 <= index < len(lines) else b""


def majority_ending(lines: list) -> bytes:
    """The more frequent ending of a file; LF when neither leads."""
    windows = sum(line.endswith(b"\r\n") for line in lines)
    ended = sum(line.endswith(b"\n") for line in lines)
    return b"\r\n" if windows > ended - windows else b"\n"


def with_ending(block: bytes, ending: bytes) -> list:
    return [without_ending(line) + ending for line in split_lines(block)]


def ending_for(lines: list, start: int, end: int, majority: bytes) -> bytes:
    """New lines end like the first line they replace, else like the line above, else like the line below."""
    replaced = ending_at(lines, start) if end > start else b""
    return replaced or ending_at(lines, start - 1) or ending_at(lines, end) or majority
