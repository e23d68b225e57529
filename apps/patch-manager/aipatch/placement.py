"""Placing patches.

Places are (start, end) pairs of gaps between lines: the lines from `start` up to, without, `end`, counted from 0.
"""

from __future__ import annotations

import collections

from .faults import file_fault, patch_fault
from .guards import Guard, comparable, find_lines, guard_of, guard_stands
from .lines import ending_for, split_lines, with_ending
from .model import SEARCHED_LINES, SEQUENTIAL_PATCHES

# By a hash the file is the base (`base`) or another (`changed`), by the caller's word it is the base (`head`), or
# nobody said (`unknown`).
TRUSTED = ("base", "head")

Placement = collections.namedtuple("Placement", "place shift fault")
PlacedPatch = collections.namedtuple("PlacedPatch", "index patch block start end")
Rebuilt = collections.namedtuple("Rebuilt", "pieces faults shifts removed_lines")

# `patch` is where the lines come from, None for lines of the file itself.
Piece = collections.namedtuple("Piece", "lines patch")


def stated_place(patch: dict, count: int):
    """The place that a patch names in a file of `count` lines; a text says why there is none."""
    operation, line = patch["operation"], patch.get("line", 0)

    def outside(name: str, value: int) -> str:
        return f"{name} is {value}, the file has {count} {'line' if count == 1 else 'lines'}"

    if operation == "append":
        return (count, count)
    if operation == "replace-block":
        if patch["end"] > count:
            return outside("end", patch["end"])
        return (patch["start"] - 1, patch["end"])
    if operation == "insert-before":
        return outside("line", line) if line > count + 1 else (line - 1, line - 1)
    return outside("line", line) if line > count else (line, line)


def refuse_patch(item, code: str, message: str) -> Placement:
    return Placement(None, 0, patch_fault(item, code, message))


def refuse_unguarded(item, knowledge: str) -> Placement:
    if knowledge == "changed":
        message = "the file is not the one it was made for, and it has no guard"
        return refuse_patch(item, "stale", message)
    return refuse_patch(item, "unguarded", "needs expect, or pre of its file, or a base that is the head")


def place_as_stated(item, guard, lines: list, exact: bool, knowledge: str) -> Placement:
    if guard is None and knowledge not in TRUSTED:
        return refuse_unguarded(item, knowledge)
    place = stated_place(item.patch, len(lines))
    if isinstance(place, str):
        return refuse_patch(item, "out_of_range", place)
    if guard is None or guard_stands(guard, place, lines, exact):
        return Placement(place, 0, None)
    return refuse_patch(item, "stale", "what it expects does not stand at its place")


class Search:
    """Finds guards in one file, as long as that does not take too long."""

    def __init__(self, lines: list, exact: bool):
        self.lines, self.exact = lines, exact
        self.lines_left = SEARCHED_LINES
        self.comparable = None

    def find(self, guard: Guard):
        """At most two places where all of a guard stands in one piece; None when it takes too long."""
        self.lines_left -= len(self.lines)
        if self.lines_left < 0:
            return None
        if self.comparable is None:
            self.comparable = [comparable(line, self.exact) for line in self.lines]
            self.known = set(self.comparable)
        return find_lines(guard.left + guard.middle + guard.right, self.comparable, self.known)


def place_by_guard(item, guard: Guard, search: Search) -> Placement:
    patch = item.patch
    is_replace = patch["operation"] == "replace-block"
    if is_replace and len(guard.middle) != patch["end"] - patch["start"] + 1:
        message = "expect.block has another number of lines than start to end"
        return refuse_patch(item, "stale", message)
    found = search.find(guard)
    if found is None:
        message = "too many patches to be searched for in a changed file"
        return Placement(None, 0, file_fault(patch["file"], "too_large", message))
    if not found:
        return refuse_patch(item, "stale", "what it expects is not in the file")
    if len(found) > 1:
        return refuse_patch(item, "ambiguous", "what it expects is more than once in the file")
    start = found[0] + len(guard.left)
    stated = patch["start"] - 1 if is_replace else patch["line"]
    if patch["operation"] == "insert-before":
        stated -= 1
    return Placement((start, start + len(guard.middle)), start - stated, None)


def place_patch(item, edit: dict, lines: list, search: Search) -> Placement:
    operation, knowledge = item.patch["operation"], edit["knowledge"]
    guard = guard_of(item.patch, search.exact)
    # A block to replace is found by its own text only: what stands around it says nothing of it.
    can_be_searched = guard is not None and (guard.middle or operation not in ("replace-block", "append"))
    if knowledge in TRUSTED or operation == "append":
        stated = place_as_stated(item, guard, lines, search.exact, knowledge)
        if stated.fault is None or knowledge != "head" or not can_be_searched:
            return stated
    elif not can_be_searched:
        return refuse_unguarded(item, knowledge)
    return place_by_guard(item, guard, search)


def place_all(edit: dict, lines: list):
    """Every patch has its place in the file as it was read, so none moves another."""
    placed, faults, shifts = [], [], []
    search = Search(lines, edit["mode"] == "exact")
    for item in edit["patches"]:
        placement = place_patch(item, edit, lines, search)
        if placement.fault is not None:
            faults.append(placement.fault)
            continue
        placed.append(PlacedPatch(*item, *placement.place))
        if placement.shift != 0:
            shifts.append({"index": item.index, "file": edit["path"], "lines": placement.shift})
    return placed, faults, shifts


def rebuild_from_snapshot(edit: dict, lines: list, majority: bytes) -> Rebuilt:
    placed, faults, shifts = place_all(edit, lines)
    # At one gap an insert stands before what replaces the next line; among inserts the array's order counts.
    placed.sort(key=lambda patch: (patch.start, patch.end > patch.start, patch.index))
    faults += overlap_faults(placed)
    if faults:
        return Rebuilt([], faults, shifts, 0)
    pieces, following, removed_lines = [], 0, 0
    for patch in placed:
        if patch.start > following:
            pieces.append(Piece(lines[following : patch.start], None))
        if patch.block:
            pieces.append(Piece(new_lines(edit, patch, lines, (patch.start, patch.end), majority), patch))
        removed_lines += patch.end - patch.start
        following = patch.end
    if following < len(lines):
        pieces.append(Piece(lines[following:], None))
    return Rebuilt(pieces, [], shifts, removed_lines)


def new_lines(edit: dict, item, lines: list, place: tuple, majority: bytes) -> list:
    if edit["mode"] == "exact":
        return split_lines(item.block)
    return with_ending(item.block, ending_for(lines, *place, majority))


def overlap_faults(in_order: list) -> list:
    """One fault for each patch that gets in the way of another; of two, the later in the array has it."""
    faults, reach = [], None
    for patch in in_order:
        is_replace = patch.end > patch.start
        if reach is not None and patch.start < reach.end:
            if is_replace:
                first, second = sorted((patch, reach), key=lambda one: one.index)
                message = f"replaces lines that patch {first.index} replaces"
                faults.append(patch_fault(second, "overlap", message))
            else:
                message = f"inside what patch {reach.index} replaces"
                faults.append(patch_fault(patch, "insert_inside_replace", message))
        if is_replace and (reach is None or patch.end > reach.end):
            reach = patch
    return faults


def rebuild_in_turn(edit: dict, lines: list, majority: bytes) -> Rebuilt:
    """Each patch has its place in the file as the patches before it left it.

    After the first that has no place the numbers of the others mean nothing, so it is the only one told.
    """
    if len(edit["patches"]) > SEQUENTIAL_PATCHES:
        message = f"more than {SEQUENTIAL_PATCHES} sequential patches of one file"
        return Rebuilt([], [file_fault(edit["path"], "too_large", message)], [], 0)
    exact = edit["mode"] == "exact"
    lines, owners, removed_lines = list(lines), [None] * len(lines), 0
    for item in edit["patches"]:
        guard = guard_of(item.patch, exact)
        placement = place_as_stated(item, guard, lines, exact, edit["knowledge"])
        if placement.fault is not None:
            return Rebuilt([], [placement.fault], [], 0)
        start, end = placement.place
        added = new_lines(edit, item, lines, placement.place, majority)
        lines[start:end] = added
        owners[start:end] = [item] * len(added)
        removed_lines += end - start
    pieces = []
    for line, owner in zip(lines, owners):
        if not pieces or pieces[-1].patch is not owner:
            pieces.append(Piece([], owner))
        pieces[-1].lines.append(line)
    return Rebuilt(pieces, [], [], removed_lines)
