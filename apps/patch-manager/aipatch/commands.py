"""The commands on a root."""

from __future__ import annotations

import contextlib
import fcntl
import os

from .apply import apply_patch_input
from .disk_tree import OPEN_DIRECTORY, DiskTree
from .failures import ApplyFailure, UnreadableInput, reason_of
from .inputs import parse_json, read_input
from .invert import invert_patch_set
from .journal import Journal
from .model import DEFAULT_LIMITS, Policy, policy_of
from .undo import is_undo, kept_undo, shown_outcome, undo_of


@contextlib.contextmanager
def locked_root(path: str, is_shared: bool):
    """The root and the place of its journal. One run at a time may write."""
    location = os.path.realpath(path)
    try:
        root = os.open(location, OPEN_DIRECTORY)
    except OSError as error:
        raise UnreadableInput(f"cannot open the root {path}: {reason_of(error)}") from error
    try:
        try:
            fcntl.flock(root, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            raise ApplyFailure("another run works on this root") from error
        yield root, journal_location(location)
    finally:
        os.close(root)


def journal_location(root: str) -> str:
    parent, name = os.path.split(root)
    return os.path.join(parent, f".{name}.aipatch-journal")


def run_set(arguments) -> dict:
    given = parse_json(read_input(arguments.set_file), "the set")
    if is_undo(given):
        raise UnreadableInput("this is an undo file: revert takes it")
    policy = policy_from(arguments)
    with contextlib.ExitStack() as opened:
        base_tree = None if arguments.base is None else opened.enter_context(tree_at(arguments.base))
        is_check = arguments.command == "check"
        return run_on_root(arguments, is_check, lambda tree: apply_patch_input(given, tree, policy, base_tree))


def run_revert(arguments) -> dict:
    """Applies the inverse of a set: the one of an undo file, or the one of a set and the tree that it was made for."""
    given = parse_json(read_input(arguments.set_file), "the undo file")
    if is_undo(given) == (arguments.base is not None):
        raise UnreadableInput(
            "an undo file says itself what was there before, --base is not needed"
            if is_undo(given)
            else "this is no undo file; to take a set back, name by --base the tree that it was made for"
        )
    policy = policy_from(arguments)
    with contextlib.ExitStack() as opened:
        if arguments.base is None:
            inverse, outcome_tree = given["set"], None
        else:
            base_tree = opened.enter_context(tree_at(arguments.base))
            outcome = apply_patch_input(given, base_tree, policy._replace(base_is_head=True))
            if outcome["kind"] == "already_applied":
                raise UnreadableInput("the tree that --base names holds the outcome of the set already")
            if outcome["kind"] == "refused":
                return outcome
            inverse = invert_patch_set(outcome, base_tree)
            outcome_tree = OverlaidTree(base_tree, outcome["files"])
        reverted = run_on_root(
            arguments,
            arguments.dry_run,
            lambda tree: apply_patch_input(inverse, tree, policy, outcome_tree),
        )
    return {**reverted, "kind": "reverted"} if reverted["kind"] == "applied" else reverted


def policy_from(arguments) -> Policy:
    return policy_of(
        arguments.allowed_path,
        getattr(arguments, "base_is_head", False),
        arguments.allow_protected,
        {name: getattr(arguments, f"max_{name}") for name in DEFAULT_LIMITS},
    )


@contextlib.contextmanager
def tree_at(path: str):
    try:
        directory = os.open(path, OPEN_DIRECTORY)
    except OSError as error:
        raise UnreadableInput(f"cannot open the directory {path}: {reason_of(error)}") from error
    try:
        yield DiskTree(directory)
    finally:
        os.close(directory)


class OverlaidTree:
    """A tree as it is after a set."""

    def __init__(self, tree, files: dict):
        self.tree, self.files = tree, files

    def read(self, path: str):
        return self.files[path] if path in self.files else self.tree.read(path)


def run_on_root(arguments, is_check: bool, compute) -> dict:
    """Computes an outcome for the tree at the root and, unless this is a check, writes it."""
    with locked_root(arguments.root, is_check) as (root, location):
        journal = Journal(root, arguments.journal or location)
        if is_check and os.path.lexists(journal.location):
            raise ApplyFailure("an interrupted run has to be recovered first: run recover or apply", False)
        recovered = "nothing" if is_check else journal.recover()
        tree = DiskTree(root)
        try:
            outcome = compute(tree)
            undo = None if is_check or arguments.undo is None else undo_of(outcome, tree)
        except OSError as error:
            raise ApplyFailure(f"cannot read the tree: {reason_of(error)}") from error
        if outcome["kind"] == "applied" and not is_check:
            with kept_undo(arguments.undo, undo):
                if outcome["files"]:
                    journal.write(outcome["files"], outcome["origins"], tree)
    recovery = {} if recovered == "nothing" else {"recovered": recovered}
    return {**shown_outcome(outcome), **recovery}


def run_recover(arguments) -> dict:
    with locked_root(arguments.root, False) as (root, location):
        return {"kind": "recovered", "recovered": Journal(root, arguments.journal or location).recover()}
