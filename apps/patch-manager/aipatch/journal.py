"""Writing: a journal makes several files change as one.

The journal is a directory beside the root. It gets the new files, and links to the old ones, before anything in the
tree changes; then `plan.json` appears, and from there on the set counts as applied: a run that is killed is finished
by the next. When a step fails, `plan.json` becomes `undo.json`, and every step is taken back. Both names go before
the rest of the journal goes, and a journal with neither of them stands for a tree that needs nothing.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat

from .disk_tree import DiskTree, encoded, opened_directory, split_path
from .failures import ApplyFailure, reason_of
from .journal_directory import JournalDirectory
from .paths import directories_of, path_reason

PLAN, UNDO = b"plan.json", b"undo.json"


class Journal(JournalDirectory):
    def recover(self) -> str:
        """Brings the tree to its old or its new state after an interrupted run; says which, or `nothing`."""
        if not os.path.lexists(self.location):
            return "nothing"
        self.open()
        try:
            if self.holds(UNDO):
                self.roll_back(self.read_plan(UNDO))
                return "undone"
            if not self.holds(PLAN):
                self.clear()
                return "nothing"
            self.roll_forward(self.read_plan(PLAN))
            return "finished"
        finally:
            self.close()

    def write(self, changes: dict, origins: dict, tree: DiskTree) -> None:
        """Applies changes, path -> TreeFile or None, all or none. Raises ApplyFailure.

        `origins` are the paths that renamed and copied files come from, whose permissions they keep.
        """
        try:
            os.mkdir(self.location, 0o700)
        except OSError as error:
            message = f"cannot make the journal {self.location}, --journal names another place: {reason_of(error)}"
            raise ApplyFailure(message) from error
        try:
            self.open()
        except ApplyFailure:
            os.rmdir(self.location)
            raise
        try:
            self.prepare_and_commit(changes, origins, tree)
        finally:
            self.close()

    def prepare_and_commit(self, changes: dict, origins: dict, tree: DiskTree) -> None:
        try:
            plan = self.prepare(changes, origins, tree)
            self.write_file(b"plan.tmp", json.dumps(plan).encode("ascii"), 0o600)
            os.rename(b"plan.tmp", PLAN, src_dir_fd=self.directory, dst_dir_fd=self.directory)
            os.fsync(self.directory)
        except BaseException as error:
            # Nothing in the tree has changed yet. Without a plan the rest of the journal is of no meaning.
            is_void = self.try_to_discard(PLAN)
            with contextlib.suppress(OSError):
                self.clear()
            if isinstance(error, OSError):
                raise ApplyFailure(f"cannot prepare the change: {reason_of(error)}", is_void) from error
            raise
        self.roll_forward(plan)

    def prepare(self, changes: dict, origins: dict, tree: DiskTree) -> dict:
        removals = sorted(path for path, file in changes.items() if file is None)
        writes = sorted(path for path, file in changes.items() if file is not None)
        steps = []
        for number, path in enumerate(removals + writes):
            model = tree.status.get(origins.get(path, path))
            steps.append(self.prepare_step(number, path, changes[path], tree.status.get(path), model))
        written_directories = {directory for path in writes for directory in directories_of(path)}
        emptied = {directory for path in removals for directory in directories_of(path)}
        emptied.update(below for path in writes for below in tree.directories_below(path))
        return {
            "format": "aipatch-journal/1",
            "steps": steps,
            "made": sorted(one for one in written_directories if self.mode_of_directory(one) is None),
            "emptied": {one: self.mode_of_directory(one) for one in sorted(emptied - written_directories)},
        }

    def prepare_step(self, number: int, path: str, file, known, model) -> dict:
        """`known` is the status of the file that goes, `model` of the one whose owner and permissions stay."""
        old, new = f"old-{number}", f"new-{number}"
        if known is not None:
            self.keep_old(path, encoded(old), known)
        elif self.holds_entry(path):
            raise ApplyFailure(f"{json.dumps(path)} was made while the set was planned")
        if file is not None:
            self.write_file(encoded(new), file.bytes, permissions_for(file.mode, model))
            if model is not None:
                self.keep_owner(encoded(new), model)
        return {
            "path": path,
            "old": None if known is None else old,
            "new": None if file is None else new,
        }

    def keep_old(self, path: str, name: bytes, known) -> None:
        directories, target = split_path(path)
        with opened_directory(self.root, directories) as parent:
            try:
                os.link(target, name, src_dir_fd=parent, dst_dir_fd=self.directory, follow_symlinks=False)
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
                    raise
                self.copy_old(target, parent, name, known)
                return
        kept = os.stat(name, dir_fd=self.directory, follow_symlinks=False)
        if identity_of(kept) != identity_of(known):
            raise ApplyFailure(f"{json.dumps(path)} was changed while the set was planned")

    def copy_old(self, target: bytes, parent: int, name: bytes, known) -> None:
        """For file systems and owners that allow no link."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(target, flags, dir_fd=parent), "rb") as file:
            self.write_file(name, file.read(), stat.S_IMODE(known.st_mode))
        self.keep_owner(name, known)

    def read_plan(self, name: bytes) -> dict:
        """The journal is our own, but what it names is checked as any path is."""
        try:
            with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self.directory), "rb") as file:
                plan = json.loads(file.read().decode("ascii"))
            paths = [step["path"] for step in plan["steps"]] + plan["made"] + list(plan["emptied"])
            if plan["format"] != "aipatch-journal/1" or any(map(path_reason, paths)):
                raise ValueError("it names what no set can name")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ApplyFailure(f"cannot read the journal {self.location}: {error}", False) from error
        return plan

    def roll_forward(self, plan: dict) -> None:
        try:
            removals = [step for step in plan["steps"] if step["new"] is None]
            writes = [step for step in plan["steps"] if step["new"] is not None]
            for step in removals:
                self.remove(step["path"])
            for directory in sorted(plan["emptied"], key=len, reverse=True):
                self.remove_directory(directory)
            for step in writes:
                self.put(step["new"], step["path"])
            self.sync_directories(plan)
            self.discard(PLAN)
        except BaseException as error:
            self.roll_back(plan)
            if isinstance(error, OSError):
                raise ApplyFailure(f"cannot change the tree: {reason_of(error)}") from error
            raise
        self.tidy()

    def roll_back(self, plan: dict) -> None:
        try:
            if self.holds(PLAN):
                os.rename(PLAN, UNDO, src_dir_fd=self.directory, dst_dir_fd=self.directory)
            steps = plan["steps"][::-1]
            for step in steps:
                was_made = step["old"] is None and step["new"] is not None
                if was_made and not self.holds(encoded(step["new"])):
                    self.remove(step["path"])
            for directory in plan["made"][::-1]:
                self.remove_directory(directory)
            for directory, mode in sorted(plan["emptied"].items()):
                self.restore_directory(directory, mode)
            for step in steps:
                if step["old"] is not None:
                    self.put(step["old"], step["path"])
            self.sync_directories(plan)
            self.discard(UNDO)
        except OSError as error:
            message = f"cannot take the change back: {reason_of(error)}; run recover once this is mended"
            raise ApplyFailure(message, False) from error
        self.tidy()


def identity_of(status) -> tuple:
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def permissions_for(mode: str, known) -> int:
    """The permissions that were there, with the execute bits that the mode asks for; else what the umask leaves."""
    is_executable = mode == "100755"
    if known is not None:
        permissions = stat.S_IMODE(known.st_mode) & 0o777
        if bool(permissions & stat.S_IXUSR) == is_executable:
            return permissions
        readable = (permissions & 0o444) >> 2
        return permissions | readable if is_executable else permissions & ~0o111
    return (0o777 if is_executable else 0o666) & ~current_umask()


def current_umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
