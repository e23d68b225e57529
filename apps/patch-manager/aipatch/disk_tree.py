"""The tree on disk.

Every step goes from one directory to the next by descriptor and follows no symlink, so that no path, and no change
made to the tree meanwhile, leads out of the root.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from .model import SPECIAL_MODE, SYMLINK_MODE, TreeFile
from .paths import path_reason

OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NO_SUCH_DIRECTORY = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def encoded(name: str) -> bytes:
    return name.encode("utf-8")


@contextlib.contextmanager
def opened_directory(root: int, segments: list):
    """The descriptor of a directory below the root; raises OSError when there is none."""
    directory = os.open(b".", OPEN_DIRECTORY, dir_fd=root)
    try:
        for segment in segments:
            inner = os.open(encoded(segment), OPEN_DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = inner
        yield directory
    finally:
        os.close(directory)


def split_path(path: str):
    *directories, name = path.split("/")
    return directories, encoded(name)


class DiskTree:
    """The files below a root. What was read is remembered, with what shows a later change."""

    def __init__(self, root: int):
        self.root = root
        self.files = {}
        self.status = {}

    def read(self, path: str):
        if path not in self.files:
            self.files[path] = self.read_from_disk(path)
        return self.files[path]

    def read_from_disk(self, path: str):
        directories, name = split_path(path)
        try:
            with opened_directory(self.root, directories) as directory:
                return self.read_entry(path, name, directory)
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return None
            raise

    def read_entry(self, path: str, name: bytes, directory: int):
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            return None
        if stat.S_ISLNK(status.st_mode):
            return TreeFile(os.readlink(name, dir_fd=directory), SYMLINK_MODE)
        if not stat.S_ISREG(status.st_mode):
            return TreeFile(b"", SPECIAL_MODE)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(name, flags, dir_fd=directory), "rb") as file:
            self.status[path] = os.fstat(file.fileno())
            data = file.read()
        return TreeFile(data, "100755" if self.status[path].st_mode & stat.S_IXUSR else "100644")

    def holds_directory(self, path: str, vacated: set) -> bool:
        """True when a directory stands at the path, and something in it stays there."""
        try:
            with opened_directory(self.root, path.split("/")) as directory:
                return self.keeps_something(path, directory, vacated)
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return False
            raise

    def directories_below(self, path: str) -> list:
        """A directory with all that are in it; none when the path is no directory."""
        try:
            with opened_directory(self.root, path.split("/")) as directory, os.scandir(directory) as entries:
                inner = [f"{path}/{one.name}" for one in entries if one.is_dir(follow_symlinks=False)]
        except OSError as error:
            if error.errno in NO_SUCH_DIRECTORY:
                return []
            raise
        return [path, *(below for one in inner for below in self.directories_below(one))]

    def keeps_something(self, path: str, directory: int, vacated: set) -> bool:
        with os.scandir(directory) as entries:
            for entry in entries:
                inner = f"{path}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    # The journal has to name what it removes, so a directory that no set can name stays.
                    if path_reason(inner) is not None or self.holds_directory(inner, vacated):
                        return True
                elif inner not in vacated:
                    return True
        return False
