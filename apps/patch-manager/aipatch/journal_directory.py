"""The directory of a journal, and the steps from it into the tree and back.

Every step can be taken again after a crash in the middle of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from .disk_tree import NO_SUCH_DIRECTORY, OPEN_DIRECTORY, encoded, opened_directory, split_path
from .failures import ApplyFailure, reason_of


class JournalDirectory:
    """`root` is the descriptor of the tree, `location` the path of the journal."""

    def __init__(self, root: int, location: str):
        self.root = root
        self.location = location
        self.directory = -1

    def open(self) -> None:
        try:
            self.directory = os.open(self.location, OPEN_DIRECTORY)
        except OSError as error:
            raise ApplyFailure(f"cannot open the journal {self.location}: {reason_of(error)}", False) from error
        status = os.fstat(self.directory)
        is_ours = status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) & 0o077 == 0
        if not is_ours or status.st_dev != os.fstat(self.root).st_dev:
            self.close()
            message = f"the journal {self.location} must be a directory of this user alone, on the tree's device"
            raise ApplyFailure(message)

    def close(self) -> None:
        if self.directory >= 0:
            os.close(self.directory)
        self.directory = -1

    def holds(self, name: bytes) -> bool:
        return exists_at(name, self.directory)

    def discard(self, name: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.directory)

    def try_to_discard(self, name: bytes) -> bool:
        with contextlib.suppress(OSError):
            self.discard(name)
        return not self.holds(name)

    def clear(self) -> None:
        for name in os.listdir(self.directory):
            self.discard(encoded(name))
        os.rmdir(self.location)

    def tidy(self) -> None:
        """Nothing is left to do, so a failure here is none of the set; the next run clears the rest."""
        with contextlib.suppress(OSError):
            self.clear()

    def write_file(self, name: bytes, data: bytes, permissions: int) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self.directory)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fchmod(descriptor, permissions)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def keep_owner(self, name: bytes, known) -> None:
        """Possible for the superuser; for others the new file is theirs, as with any editor."""
        with contextlib.suppress(PermissionError):
            status = os.stat(name, dir_fd=self.directory, follow_symlinks=False)
            if (status.st_uid, status.st_gid) != (known.st_uid, known.st_gid):
                os.chown(name, known.st_uid, known.st_gid, dir_fd=self.directory, follow_symlinks=False)
                os.chmod(name, stat.S_IMODE(status.st_mode), dir_fd=self.directory)

    # The tree

    def holds_entry(self, path: str) -> bool:
        """True for anything but a directory."""
        directories, name = split_path(path)
        try:
            with opened_directory(self.root, directories) as parent:
                status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return False
            raise
        return not stat.S_ISDIR(status.st_mode)

    def mode_of_directory(self, path: str):
        try:
            with opened_directory(self.root, path.split("/")) as directory:
                return stat.S_IMODE(os.fstat(directory).st_mode)
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return None
            raise

    def put(self, name: str, path: str) -> None:
        """Moves a file of the journal into the tree, unless that is done."""
        if not self.holds(encoded(name)):
            return
        directories, target = split_path(path)
        self.make_directories(directories)
        with opened_directory(self.root, directories) as parent:
            os.rename(encoded(name), target, src_dir_fd=self.directory, dst_dir_fd=parent)

    def remove(self, path: str) -> None:
        """Removes a file. A directory in its place is the set's own, from before a crash."""
        if not self.holds_entry(path):
            return
        directories, name = split_path(path)
        with opened_directory(self.root, directories) as parent:
            os.unlink(name, dir_fd=parent)

    def make_directories(self, segments: list) -> None:
        for count in range(len(segments)):
            with opened_directory(self.root, segments[:count]) as parent:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(encoded(segments[count]), dir_fd=parent)

    def remove_directory(self, path: str) -> None:
        """A directory that still holds something stays."""
        directories, name = split_path(path)
        try:
            with opened_directory(self.root, directories) as parent:
                os.rmdir(name, dir_fd=parent)
        except OSError as error:
            if error.errno not in (*NO_SUCH_DIRECTORY, errno.ENOTEMPTY, errno.EEXIST):
                raise

    def restore_directory(self, path: str, mode: int) -> None:
        actual = self.mode_of_directory(path)
        if actual == mode:
            return
        directories, name = split_path(path)
        with opened_directory(self.root, directories) as parent:
            if actual is None:
                os.mkdir(name, dir_fd=parent)
            os.chmod(name, mode, dir_fd=parent)

    def sync_directories(self, plan: dict) -> None:
        """So that the names are on the disk before the journal forgets them."""
        for parent in sorted({step["path"].rpartition("/")[0] for step in plan["steps"]}):
            try:
                with opened_directory(self.root, parent.split("/") if parent else []) as directory:
                    os.fsync(directory)
            except OSError as error:
                if error.errno not in NO_SUCH_DIRECTORY:
                    raise


def exists_at(name: bytes, directory: int) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
