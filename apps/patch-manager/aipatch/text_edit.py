"""The patched bytes of one file."""

from __future__ import annotations

from .faults import file_fault, patch_fault
from .lines import ending_at, majority_ending, split_lines, without_ending
from .model import BINARY_PROBE_BYTES, BYTE_ORDER_MARK, UTF16_MARKS
from .placement import rebuild_from_snapshot, rebuild_in_turn


def is_binary(data: bytes) -> bool:
    return data.startswith(UTF16_MARKS) or b"\0" in data[:BINARY_PROBE_BYTES]


def edit_text(edit: dict):
    """The patched bytes with what belongs to them, or the faults: (bytes, shifts, removed_lines, faults)."""
    data, mode = edit["bytes"], edit["mode"]
    if is_binary(data):
        message = "holds no lines; only replace can change it"
        return b"", [], 0, [file_fault(edit["path"], "binary_file", message)]
    mark = BYTE_ORDER_MARK if mode == "lines" and data.startswith(BYTE_ORDER_MARK) else b""
    lines = split_lines(data[len(mark) :])
    majority = majority_ending(lines)
    rebuild = rebuild_from_snapshot if edit["coordinates"] == "snapshot" else rebuild_in_turn
    rebuilt = rebuild(edit, lines, majority)
    faults = encoding_faults(edit) + rebuilt.faults
    if not faults and edit["is_complete"] and mode == "exact":
        faults = literal_faults(rebuilt.pieces)
    if faults or not edit["is_complete"]:
        return b"", [], 0, faults
    if mode == "exact":
        outcome = b"".join(line for piece in rebuilt.pieces for line in piece.lines)
    else:
        outcome = mark + join_lines(rebuilt.pieces, lines, edit["eof"], majority)
    return outcome, rebuilt.shifts, rebuilt.removed_lines, []


def encoding_faults(edit: dict) -> list:
    beyond_ascii = [
        item
        for item in edit["patches"]
        if item.patch.get("block_encoding") != "base64" and not item.block.isascii()
    ]
    if not beyond_ascii or is_utf8(edit["bytes"]):
        return []
    message = "block is not ASCII, and the file is not UTF-8"
    return [patch_fault(item, "encoding_mismatch", message) for item in beyond_ascii]


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def literal_faults(pieces: list) -> list:
    """The faults of a literal outcome: a line that does not end, and is not the last."""
    faults, follows_open_line = [], False
    for at, piece in enumerate(pieces):
        if follows_open_line and piece.patch is not None:
            message = "the last line of the file has no ending"
            faults.append(patch_fault(piece.patch, "append_after_unterminated_line", message))
        if at == len(pieces) - 1 or piece.lines[-1].endswith(b"\n"):
            continue
        if piece.patch is None:
            follows_open_line = True
        else:
            message = "block has no final newline and does not end the file"
            faults.append(patch_fault(piece.patch, "unterminated_block", message))
    return faults


def join_lines(pieces: list, lines: list, eof: str, majority: bytes) -> bytes:
    """The outcome in mode `lines`: every line but the last has an ending, and `eof` decides about the last."""
    outcome = [line for piece in pieces for line in piece.lines]
    missing_ending = ending_at(lines, len(lines) - 2) or majority
    for at, line in enumerate(outcome):
        wants_ending = at < len(outcome) - 1 or ends_with_newline(pieces, lines, eof)
        if not wants_ending:
            outcome[at] = without_ending(line)
        elif not line.endswith(b"\n"):
            outcome[at] = line + missing_ending
    return b"".join(outcome)


def ends_with_newline(pieces: list, lines: list, eof: str) -> bool:
    """A file of no lines has no final newline to preserve: it ends as the block that becomes its last line."""
    if eof != "preserve":
        return eof == "present"
    return lines[-1].endswith(b"\n") if lines else pieces[-1].patch.block.endswith(b"\n")
