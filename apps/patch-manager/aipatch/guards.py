"""Guards: what a patch expects around its place."""

from __future__ import annotations

import collections

from .lines import split_lines, without_ending

Guard = collections.namedtuple("Guard", "left middle right")


def comparable(line: bytes, exact: bool) -> bytes:
    """In mode `exact` a line is compared with its ending, in mode `lines` without."""
    return line if exact else without_ending(line)


def guard_of(patch: dict, exact: bool):
    """The lines that end at the place, those in it, and those that begin after it; None without any."""
    expect = patch.get("expect", {})
    before, block, after = (
        [comparable(line, exact) for line in split_lines(expect.get(name, "").encode("utf-8"))]
        for name in ("before", "block", "after")
    )
    if not before and not block and not after:
        return None
    if patch["operation"] == "replace-block":
        return Guard(before, block, after)
    if patch["operation"] == "insert-before":
        return Guard(before, [], block + after)
    return Guard(before + block, [], after)


def guard_stands(guard: Guard, place: tuple, lines: list, exact: bool) -> bool:
    start, end = place
    if guard.middle and len(guard.middle) != end - start:
        return False
    return (
        stand_at(guard.left, start - len(guard.left), lines, exact)
        and stand_at(guard.middle, start, lines, exact)
        and stand_at(guard.right, end, lines, exact)
    )


def stand_at(expected: list, at: int, lines: list, exact: bool) -> bool:
    if at < 0 or at + len(expected) > len(lines):
        return False
    return all(comparable(lines[at + offset], exact) == line for offset, line in enumerate(expected))


def find_lines(pattern: list, lines: list, known_lines: set) -> list:
    """At most two places of a pattern, by Knuth-Morris-Pratt over comparable lines."""
    if not known_lines.issuperset(pattern):
        return []
    fallback = [0] * len(pattern)
    for index in range(1, len(pattern)):
        fallback[index] = advance(pattern, fallback, fallback[index - 1], pattern[index])
    found, matched = [], 0
    for index, line in enumerate(lines):
        matched = advance(pattern, fallback, matched, line)
        if matched == len(pattern):
            found.append(index + 1 - matched)
            if len(found) == 2:
                break
    return found


def advance(pattern: list, fallback: list, matched: int, line: bytes) -> int:
    """How many lines of the pattern match after one line more."""
    while True:
        if matched < len(pattern) and pattern[matched] == line:
            return matched + 1
        if matched == 0:
            return 0
        matched = fallback[matched - 1]
