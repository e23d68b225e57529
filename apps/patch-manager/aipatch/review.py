"""What can be said of a set without reading a file."""

from __future__ import annotations

import collections

from .content import content_bytes, decode_base64
from .faults import code_units, file_fault, patch_fault, set_fault
from .lines import line_count
from .model import BYTE_ORDER_MARK, SYMLINK_MODE, FileTask, IndexedPatch, Policy, PreparedPatch, ReviewedFile
from .paths import is_allowed_path, is_protected_path, path_key, path_reason
from .shape import POSITION_FIELDS, field_use_faults, range_fault

FIELDS_OF_FILE = {
    "edit": ("pre", "post", "mode", "eof"),
    "create": ("pre", "post", "mode", "eof", "content"),
    "delete": ("pre",),
    "rename": ("pre", "post", "from", "mode", "eof"),
    "copy": ("pre", "post", "from", "mode", "eof"),
    "replace": ("pre", "post", "mode", "content"),
}
OPTIONAL_FILE_FIELDS = ("pre", "post", "from", "mode", "eof", "content")
NEEDED_FILE_FIELD = {"rename": "from", "copy": "from", "replace": "content", "delete": "pre"}

Review = collections.namedtuple("Review", "files faults added_lines")


def file_tasks(files: dict, patches: list) -> list:
    """The files of a set by path. A patch of a file that has no entry is an edit of it."""
    tasks = {path: FileTask(path, file, []) for path, file in files.items()}
    for item in patches:
        path = item.patch["file"]
        tasks.setdefault(path, FileTask(path, {"op": "edit"}, [])).patches.append(item)
    return sorted(tasks.values(), key=lambda task: code_units(task.path))


def review_patch_set(patch_set: dict, patches: list, policy: Policy) -> Review:
    tasks = file_tasks(patch_set["files"], patches)
    faults = path_faults(tasks, policy)
    refused_paths = {fault["file"] for fault in faults}
    files = []
    for task in tasks:
        found = file_entry_faults(task.path, task.file, patch_set["mode"])
        faults.extend(file_fault(task.path, code, message) for code, message in found)
        prepared = prepare_patches(task, patch_set, faults)
        files.append(ReviewedFile(*task, prepared, not found and task.path not in refused_paths))
    texts = [item.block for file in files for item in file.prepared]
    texts += [content_bytes(file.file["content"]) or b"" for file in files if "content" in file.file]
    added_lines = sum(map(line_count, texts))
    limits = policy.limits
    faults.extend(over_limit("bytes", sum(map(len, texts)), limits["patch_bytes"]))
    faults.extend(over_limit("files", len(files), limits["files"]))
    faults.extend(over_limit("changed lines", added_lines, limits["changed_lines"]))
    return Review(files, faults, added_lines)


def over_limit(what: str, count: int, limit: int) -> list:
    return [set_fault("too_large", f"{count} {what}, the limit is {limit}")] if count > limit else []


def path_faults(tasks: list, policy: Policy) -> list:
    faults = [fault for task in tasks for fault in task_path_faults(task, policy)]
    refused = {fault["file"] for fault in faults}
    sound = [task for task in tasks if task.path not in refused]
    return faults + source_faults(sound) + collision_faults(sound)


def task_path_faults(task: FileTask, policy: Policy) -> list:
    path, source = task.path, task.file.get("from")
    own_reason = path_reason(path)
    source_reason = None if source is None else path_reason(source)
    if own_reason is not None:
        return [file_fault(path, "bad_path", f"path {own_reason}")]
    if source_reason is not None:
        return [file_fault(path, "bad_path", f"from {source_reason}")]
    changed = [path, source] if task.file["op"] == "rename" and source is not None else [path]
    faults = []
    allowed = policy.allowed_paths
    if allowed is not None and not all(is_allowed_path(one, allowed) for one in changed):
        faults.append(file_fault(path, "path_not_allowed", "outside the paths that the task may change"))
    if not policy.allow_protected and any(map(is_protected_path, changed)):
        faults.append(file_fault(path, "protected_path", "needs a person's approval"))
    return faults


def source_faults(tasks: list) -> list:
    """A file can be renamed once, and is then no longer there for another operation."""
    faults, renamed = [], set()
    for task in tasks:
        source = task.file.get("from")
        if task.file["op"] != "rename" or source is None:
            continue
        if source in renamed:
            faults.append(file_fault(task.path, "missing_file", "its source is renamed to another path"))
        renamed.add(source)
    for task in tasks:
        if task.path in renamed and task.file["op"] in ("edit", "delete", "replace"):
            faults.append(file_fault(task.path, "missing_file", "this set renames it; patch its new path"))
    return faults


def collision_faults(tasks: list) -> list:
    """Two outcomes that some file system takes for one, or one that is a directory of another."""
    remaining = [task.path for task in tasks if task.file["op"] != "delete"]
    root = {}
    for path in remaining:
        node = root
        for segment in path_key(path).split("/"):
            node = node.setdefault(segment, {})
        # No segment is None, so that it can stand for the path that ends here.
        node.setdefault(None, path)
    faults = []
    for path in remaining:
        nodes, node = [], root
        for segment in path_key(path).split("/"):
            node = node[segment]
            nodes.append(node)
        if nodes.pop()[None] != path:
            message = "differs from another path of the set in case or form only"
            faults.append(file_fault(path, "bad_path", message))
        elif any(None in one for one in nodes):
            message = "another path of the set is a file where it needs a directory"
            faults.append(file_fault(path, "file_exists", message))
    return faults


def takes_patches(file: dict) -> bool:
    """False when the entry says the whole outcome, so that no patch can follow."""
    return file["op"] not in ("delete", "replace") and not (file["op"] == "create" and "content" in file)


def file_entry_faults(path: str, file: dict, mode: str) -> list:
    operation, pre = file["op"], file.get("pre")
    found = [
        ("unexpected_field", f"{operation} takes no {name}")
        for name in OPTIONAL_FILE_FIELDS
        if name in file and name not in FIELDS_OF_FILE[operation]
    ]
    needed = NEEDED_FILE_FIELD.get(operation)
    if needed is not None and needed not in file:
        found.append(("missing_field", f"{operation} needs {needed}"))
    found += pre_faults(operation, pre) + eof_faults(file, mode) + content_faults(file)
    if file.get("from") == path:
        found.append(("file_exists", f"{operation} from a path to itself"))
    if file.get("mode") == SYMLINK_MODE or (isinstance(pre, dict) and pre.get("mode") == SYMLINK_MODE):
        found.append(("path_not_allowed", "symbolic links are not patched"))
    return found


def pre_faults(operation: str, pre) -> list:
    if pre is None:
        return []
    if pre == "absent":
        message = f"{operation} needs the file to be there"
        return [] if operation == "create" else [("unexpected_field", message)]
    if operation == "create":
        return [("unexpected_field", "create needs the file to be absent")]
    if operation == "delete" and "blob" not in pre and "sha256" not in pre:
        return [("missing_field", "delete needs a hash in pre")]
    return []


def eof_faults(file: dict, mode: str) -> list:
    eof = file.get("eof", "preserve")
    if eof == "preserve":
        return []
    if mode == "exact":
        return [("unexpected_field", f"mode exact takes its bytes literally, eof cannot be {eof}")]
    if file["op"] == "create" and "content" in file:
        return [("unexpected_field", "content is taken literally, eof cannot change it")]
    return []


def content_faults(file: dict) -> list:
    if "content" not in file:
        return []
    if "r2" in file["content"]:
        return [("unexpected_field", "content.r2 has to be resolved to its bytes first")]
    if content_bytes(file["content"]) is None:
        return [("ill_formed_text", "content is not well-formed")]
    return []


def prepare_patches(task: FileTask, patch_set: dict, faults: list) -> list:
    """The patches that are sound in themselves, with the bytes of their blocks."""
    seen, prepared = {}, []
    for item in task.patches:
        found = own_patch_faults(item, task.file)
        block, fault = decode_block(item, patch_set["mode"])
        if fault is not None:
            found.append(fault)
        if patch_set["coordinates"] == "snapshot":
            twin = seen.setdefault(twin_key(item.patch), item.index)
            if twin != item.index:
                found.append(patch_fault(item, "duplicate_patch", f"says the same as patch {twin}"))
        faults.extend(found)
        if not found:
            prepared.append(PreparedPatch(item.index, item.patch, block))
    return prepared


def own_patch_faults(item: IndexedPatch, file: dict) -> list:
    faults = [patch_fault(item, code, message) for code, message in field_use_faults(item.patch)]
    reason = range_fault(item.patch)
    if reason is not None:
        faults.append(patch_fault(item, "out_of_range", reason))
    if not takes_patches(file):
        faults.append(patch_fault(item, "unexpected_field", f"{file['op']} already says the whole outcome"))
    return faults


def twin_key(patch: dict) -> tuple:
    numbers = tuple(patch.get(name) for name in POSITION_FIELDS)
    return (patch["operation"], numbers, patch.get("block_encoding", "utf-8"), patch["block"])


def decode_block(item: IndexedPatch, mode: str):
    """The bytes of a block and None, or None and the fault for which the mode cannot hold it."""
    patch = item.patch
    is_base64 = patch.get("block_encoding") == "base64"
    if is_base64 and mode == "lines":
        return None, patch_fault(item, "unexpected_field", "block_encoding base64 needs mode exact")
    block = decode_base64(patch["block"]) if is_base64 else patch["block"].encode("utf-8")
    if block is None:
        return None, patch_fault(item, "ill_formed_text", "block is not base64")
    if not block and patch["operation"] != "replace-block":
        return None, patch_fault(item, "empty_insert", f"{patch['operation']} needs a block")
    if b"\0" in block:
        return None, patch_fault(item, "nul_in_block", "block holds a NUL")
    reason = unfit_for_lines(block) if mode == "lines" else None
    return (block, None) if reason is None else (None, patch_fault(item, "ill_formed_text", reason))


def unfit_for_lines(block: bytes):
    """What a list of lines cannot say: it would be read back as something else."""
    if block.startswith(BYTE_ORDER_MARK):
        return "block begins with a byte order mark, which belongs to the file"
    if block.endswith(b"\r") or b"\r\r\n" in block:
        return "block has a line that ends in a lone carriage return"
    return None
