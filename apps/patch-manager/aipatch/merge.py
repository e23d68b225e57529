"""Three-way merge by lines."""

from __future__ import annotations

import collections

from .line_diff import diff_lines
from .lines import split_lines
from .text_edit import is_binary

Merge = collections.namedtuple("Merge", "bytes hunks marked")

# A stretch of the base that at least one side changes, and what stands there on each side: (start, end) pairs.
Region = collections.namedtuple("Region", "base ours theirs changed_by")


def merge_lines(base: bytes, ours: bytes, theirs: bytes, labels=("ours", "base", "theirs")) -> Merge:
    """What one side changes is taken, what both change alike is taken once (diff3).

    `bytes` is None for a conflict, which has hunks and the text with the conflicts marked; a binary file has neither.
    """
    if ours == theirs or base == theirs:
        return Merge(ours, [], None)
    if base == ours:
        return Merge(theirs, [], None)
    if any(map(is_binary, (base, ours, theirs))):
        return Merge(None, [], None)
    base_lines, our_lines, their_lines = map(split_lines, (base, ours, theirs))
    parts, hunks, following = [], [], 0
    for region in merge_regions(diff_lines(base, ours), diff_lines(base, theirs)):
        parts += base_lines[following : region.base[0]]
        our, their = our_lines[slice(*region.ours)], their_lines[slice(*region.theirs)]
        if region.changed_by == {"ours"}:
            parts += our
        elif region.changed_by == {"theirs"} or our == their:
            parts += their
        else:
            names = ("base", "ours", "theirs")
            hunks.append({name: line_span(*getattr(region, name)) for name in names})
            parts += marked_conflict(our, base_lines[slice(*region.base)], their, labels)
        following = region.base[1]
    merged = b"".join(parts + base_lines[following:])
    return Merge(None, hunks, merged) if hunks else Merge(merged, [], None)


def merge_regions(ours: list, theirs: list) -> list:
    """Changes of both sides that share a line of the base, or touch, make one region."""
    changes = [("ours", change) for change in ours] + [("theirs", change) for change in theirs]
    changes.sort(key=lambda one: one[1][:2])
    regions, shift, at = [], {"ours": 0, "theirs": 0}, 0
    while at < len(changes):
        first, (start, end) = at, changes[at][1][:2]
        while at < len(changes) and changes[at][1].old_from <= end:
            end = max(end, changes[at][1].old_to)
            at += 1
        group = changes[first:at]
        ranges = {}
        for side in shift:
            side_start = start + shift[side]
            shift[side] += sum(
                change.new_to - change.new_from - (change.old_to - change.old_from)
                for name, change in group
                if name == side
            )
            ranges[side] = (side_start, end + shift[side])
        changed_by = {name for name, _ in group}
        regions.append(Region((start, end), ranges["ours"], ranges["theirs"], changed_by))
    return regions


def line_span(start: int, end: int) -> dict:
    """Counted from 1; where there are no lines it is the line that they would follow."""
    return {"start": start + 1 if end > start else start, "lines": end - start}


def marked_conflict(ours: list, base: list, theirs: list, labels) -> list:
    our_label, base_label, their_label = (label.encode("utf-8") + b"\n" for label in labels)
    return [
        b"<<<<<<< " + our_label,
        *ended(ours),
        b"||||||| " + base_label,
        *ended(base),
        b"=======\n",
        *ended(theirs),
        b">>>>>>> " + their_label,
    ]


def ended(lines: list) -> list:
    """So that a marker stands on a line of its own."""
    return [line if line.endswith(b"\n") else line + b"\n" for line in lines]
