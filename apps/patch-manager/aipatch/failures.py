"""What ends a run other than by an outcome."""

from __future__ import annotations

import os


class UnreadableInput(Exception):
    """Wrong usage, or input that is no JSON: exit status 2."""


class ApplyFailure(Exception):
    """Reading or writing failed: exit status 3. `is_restored` says whether the tree is as it was."""

    def __init__(self, message: str, is_restored: bool = True):
        super().__init__(message)
        self.is_restored = is_restored


def reason_of(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
