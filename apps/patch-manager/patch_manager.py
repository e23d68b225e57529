#!/usr/bin/env python3
"""The Patch Manager: checks and applies patch sets of the format aipatch/1 (docs/patch-format.md).

    patch_manager.py apply --root DIR [options] [SETFILE]     apply a set, all of it or nothing
    patch_manager.py check --root DIR [options] [SETFILE]     say what apply would do; writes nothing
    patch_manager.py revert --root DIR [options] [UNDOFILE]   take a set back, by the undo file that apply wrote
    patch_manager.py recover --root DIR                       finish or undo a run that was interrupted
    patch_manager.py vectors FILE [--json]                    run a vector file in memory

What each command takes, and every exit status, is told by --help.

The semantics, the codes and the messages are those of the TypeScript engine in shared/patch/; one file of vectors
binds both. It needs Python 3.9, a POSIX system and nothing but the standard library.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from aipatch.apply import MemoryTree, apply_patch_input  # noqa: E402
from aipatch.command_line import main  # noqa: E402
from aipatch.disk_tree import DiskTree  # noqa: E402
from aipatch.model import TreeFile, policy_of  # noqa: E402

__all__ = ["DiskTree", "MemoryTree", "TreeFile", "apply_patch_input", "main", "policy_of"]

if __name__ == "__main__":
    sys.exit(main())
