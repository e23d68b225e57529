"""The difference of two files.

Both engines count steps alike, so that both give up at the same place.
"""

from __future__ import annotations

import bisect
import collections

from .lines import split_lines

COMPARISON_STEPS = 2_000_000
LONGEST_EDIT = 1_000

# Lines of the old side that give way to lines of the new side, counted from 0, ends excluded.
LineChange = collections.namedtuple("LineChange", "old_from old_to new_from new_to")


class Comparison:
    """The lines of two files as numbers, equal where the lines are. `steps` is what may still be spent on them."""

    def __init__(self, before: bytes, after: bytes):
        numbers = {}
        self.old = [numbers.setdefault(line, len(numbers)) for line in split_lines(before)]
        self.new = [numbers.setdefault(line, len(numbers)) for line in split_lines(after)]
        self.steps = COMPARISON_STEPS


def diff_lines(before: bytes, after: bytes) -> list:
    """How the lines of one file become those of another: in order, never touching each other.

    Lines that are in both sides once each are matched first, the rest by the shortest edit. What would take too long
    is one replacement.
    """
    sides = Comparison(before, after)
    found, boxes = [], [LineChange(0, len(sides.old), 0, len(sides.new))]
    while boxes:
        box = trimmed_box(boxes.pop(), sides)
        old_count, new_count = box.old_to - box.old_from, box.new_to - box.new_from
        if old_count == 0 or new_count == 0:
            found += [box] if old_count or new_count else []
            continue
        parts = anchored_parts(box, sides)
        if parts is None:
            found += shortest_edit(box, sides)
        else:
            boxes += reversed(parts)
    return joined_changes(found)


def trimmed_box(box: LineChange, sides: Comparison) -> LineChange:
    """Without the lines that both sides begin and end with."""
    old_from, old_to, new_from, new_to = box
    while old_from < old_to and new_from < new_to and sides.old[old_from] == sides.new[new_from]:
        old_from, new_from = old_from + 1, new_from + 1
    while old_from < old_to and new_from < new_to and sides.old[old_to - 1] == sides.new[new_to - 1]:
        old_to, new_to = old_to - 1, new_to - 1
    return LineChange(old_from, old_to, new_from, new_to)


def joined_changes(changes: list) -> list:
    whole = []
    for change in changes:
        if whole and (whole[-1].old_to, whole[-1].new_to) == (change.old_from, change.new_from):
            whole[-1] = whole[-1]._replace(old_to=change.old_to, new_to=change.new_to)
        else:
            whole.append(change)
    return whole


def anchored_parts(box: LineChange, sides: Comparison):
    """The parts between the lines that are on either side once each and in the same order on both (patience diff).

    None when there is no such line, or no step left.
    """
    sides.steps -= box.old_to - box.old_from + box.new_to - box.new_from
    if sides.steps < 0:
        return None
    places = single_places(sides.new, box.new_from, box.new_to)
    pairs = [
        (old, places[kind])
        for kind, old in single_places(sides.old, box.old_from, box.old_to).items()
        if old >= 0 and places.get(kind, -1) >= 0
    ]
    return changes_between(longest_rise(pairs), box, True) if pairs else None


def single_places(lines: list, start: int, end: int) -> dict:
    """Where each kind of line first stands, in that order; -1 when it stands there more than once."""
    places = {}
    for at in range(start, end):
        kind = lines[at]
        places[kind] = -1 if kind in places else at
    return places


def longest_rise(pairs: list) -> list:
    """The longest run of pairs, not necessarily neighbours, whose new places rise as their old places do."""
    ends, end_places, previous = [], [], []
    for at, (_, place) in enumerate(pairs):
        length = bisect.bisect_left(end_places, place)
        previous.append(ends[length - 1] if length > 0 else -1)
        ends[length : length + 1] = [at]
        end_places[length : length + 1] = [place]
    rise, at = [], ends[-1]
    while at >= 0:
        rise.append(pairs[at])
        at = previous[at]
    return rise[::-1]


def changes_between(kept: list, box: LineChange, with_empty: bool) -> list:
    """What lies between lines that are kept, which are pairs of places."""
    changes, old_from, new_from = [], box.old_from, box.new_from
    for old_to, new_to in [*kept, (box.old_to, box.new_to)]:
        if with_empty or old_from < old_to or new_from < new_to:
            changes.append(LineChange(old_from, old_to, new_from, new_to))
        old_from, new_from = old_to + 1, new_to + 1
    return changes


def shortest_edit(box: LineChange, sides: Comparison) -> list:
    """The fewest lines to take out and to put in (Myers 1986), or one replacement when that is too far to look for."""
    # A line that is on one side only is never kept, so it need not be compared.
    old_kinds = set(sides.old[box.old_from : box.old_to])
    new_kinds = set(sides.new[box.new_from : box.new_to])
    old_places = [at for at in range(box.old_from, box.old_to) if sides.old[at] in new_kinds]
    new_places = [at for at in range(box.new_from, box.new_to) if sides.new[at] in old_kinds]
    if not old_places:
        return [box]
    old = [sides.old[at] for at in old_places]
    new = [sides.new[at] for at in new_places]
    rows = edit_rows(old, new, sides)
    if rows is None:
        return [box]
    kept = [(old_places[a], new_places[b]) for a, b in retraced(old, new, rows)]
    return changes_between(kept, box, False)


def edit_rows(old: list, new: list, sides: Comparison):
    """How far each diagonal gets with 0, 1, 2 changes and so on, until both ends are reached; None when too far.

    The entry `k + d` of the d-th row is of diagonal k, on which the old place is k ahead of the new one.
    """
    old_count, new_count = len(old), len(new)
    rows = []
    for d in range(min(old_count + new_count, LONGEST_EDIT) + 1):
        if sides.steps < 0:
            return None
        row = [0] * (2 * d + 1)
        rows.append(row)
        before = rows[d - 1]
        for k in range(-d, d + 1, 2):
            start = leaving_at(before, d, k) if d > 0 else 0
            at = start
            while at < old_count and 0 <= at - k < new_count and old[at] == new[at - k]:
                at += 1
            sides.steps -= 1 + at - start
            row[k + d] = at
            if at >= old_count and at - k >= new_count:
                return rows
    return None


def puts_in(before: list, d: int, k: int) -> bool:
    """True when the d-th change on the way to diagonal k puts a line in, false when it takes one out."""
    return k == -d or (k != d and before[k + d - 2] < before[k + d])


def leaving_at(before: list, d: int, k: int) -> int:
    """The old place at which the d-th change leaves one on diagonal k."""
    return before[k + d] if puts_in(before, d, k) else before[k + d - 2] + 1


def retraced(old: list, new: list, rows: list) -> list:
    """The lines that are kept, as pairs of places, in order."""
    kept, old_at, k = [], len(old), len(old) - len(new)
    for d in range(len(rows) - 1, -1, -1):
        before = rows[d - 1]
        start = leaving_at(before, d, k) if d > 0 else 0
        kept += [(at, at - k) for at in range(old_at - 1, start - 1, -1)]
        if d > 0:
            step = 1 if puts_in(before, d, k) else -1
            old_at = before[k + d - 1 + step]
            k += step
    return kept[::-1]
