"""Faults: what is wrong with a set, where, and in which order it is told."""

from __future__ import annotations

Fault = dict


def set_fault(code: str, message: str) -> Fault:
    return {"index": None, "file": None, "code": code, "message": message}


def file_fault(file: str, code: str, message: str) -> Fault:
    return {"index": None, "file": file, "code": code, "message": message}


def patch_fault(item, code: str, message: str) -> Fault:
    return {"index": item.index, "file": item.patch["file"], "code": code, "message": message}


def order_faults(faults: list) -> list:
    """Faults of the set, then of files by path, then of patches by index; one per place and code."""
    merged = {}
    for fault in sorted(faults, key=fault_place):
        known = merged.setdefault((fault["index"], fault["file"], fault["code"]), dict(fault))
        if known["message"] != fault["message"]:
            known["message"] += "; " + fault["message"]
    return list(merged.values())


def fault_place(fault: Fault):
    if fault["index"] is not None:
        return (1, fault["index"], b"")
    return (0, 0, code_units(fault["file"] or ""))


def code_units(text: str) -> bytes:
    """Sorts as UTF-16 code units do, which is the order of canonical JSON and of JavaScript."""
    return text.encode("utf-16-be", "surrogatepass")
