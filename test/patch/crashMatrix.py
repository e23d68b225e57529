"""Interrupts the Patch Manager at every change it makes to the disk, and says what that leaves.

    crashMatrix.py PATCH_MANAGER TEMPLATE SETFILE WORK COMMAND KIND

TEMPLATE is copied to WORK/tree and COMMAND works on the copy, over and over, each time interrupted one call later,
until nothing is interrupted any more. The tree is then recovered. COMMAND is `apply`, which also writes an undo file,
`revert`, by the undo file of an apply before it, or `check`. KIND says what happens at the call:

    kill      SIGKILL before it
    fail      it fails, once
    die       it fails, and so does every later one
    undo      an early call fails, and while that is taken back, SIGKILL
    recover   SIGKILL in the middle, and again while the next run recovers from it

On standard output: one JSON object, with a row for each run. After a kill and the recovery the undo file is tried:
`taken_back` says whether the tree then is the old one, in all that a set can say.
"""

import contextlib
import errno
import importlib.util
import io
import json
import os
import shutil
import signal
import stat
import sys

CHANGES = ("rename", "unlink", "mkdir", "rmdir", "link", "write", "fsync", "chmod", "fchmod", "chown", "open")
OPEN = os.open


def load(path):
    specification = importlib.util.spec_from_file_location("patch_manager", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def snapshot(tree):
    """Every file and directory with its permissions; files with their bytes."""
    found = {}
    for directory, names, files in os.walk(tree):
        for name in names + files:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            content = open(path, "rb").read().hex() if stat.S_ISREG(status.st_mode) else None
            found[os.path.relpath(path, tree)] = (stat.S_IMODE(status.st_mode), content)
    return found


def content(found):
    """What a set can say of a tree: its files with their bytes, and whether they are executable."""
    return {path: (mode & 0o100, data) for path, (mode, data) in found.items() if data is not None}


def interrupt(actions):
    """`actions` is what happens at the call of that number: `kill`, `fail`, or `die`, which lasts."""
    seen = {"count": 0, "interrupted": 0, "dead": False}

    def wrapped(call):
        def changing(*arguments, **options):
            if call is OPEN and not arguments[1] & os.O_CREAT:
                return call(*arguments, **options)
            action = actions.get(seen["count"])
            seen["count"] += 1
            if action == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            seen["dead"] = seen["dead"] or action == "die"
            if action or seen["dead"]:
                seen["interrupted"] += 1
                raise OSError(errno.ENOSPC, "no space")
            return call(*arguments, **options)

        return changing

    for name in CHANGES:
        setattr(os, name, wrapped(getattr(os, name)))
    return seen


def run(module, arguments, actions):
    """Runs a command in a child; answers its status, its JSON, and how many calls were interrupted."""
    reader, writer = os.pipe()
    write = os.write
    child = os.fork()
    if child == 0:
        seen, output = interrupt(actions), io.StringIO()
        with contextlib.redirect_stdout(output):
            status = module.main(arguments)
        answer = {"status": status, "answer": json.loads(output.getvalue()), **seen}
        write(writer, json.dumps(answer).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer) if answer else {"status": None, "answer": None, "interrupted": 1}


class Matrix:
    def __init__(self, module, template, set_file, work, command):
        self.module, self.template = module, template
        self.tree = os.path.join(work, "tree")
        self.journal = os.path.join(work, ".tree.aipatch-journal")
        self.undo = os.path.join(work, "undo.json")
        self.recover = ["recover", "--root", self.tree, "--json"]
        applied = [set_file, "--root", self.tree, "--json", "--undo", self.undo]
        if command == "revert":
            self.prepare_revert(work, set_file)
            applied[0] = os.path.join(work, "applied.json")
        self.command = [command, *applied[: 4 if command == "check" else None]]
        self.old = snapshot(self.template)
        self.renew()
        self.calls = run(module, self.command, {})["count"]
        self.new = snapshot(self.tree)

    def prepare_revert(self, work, set_file):
        """Makes the outcome of the set the template, and keeps the undo file of that."""
        self.renew()
        undo = os.path.join(work, "applied.json")
        arguments = ["apply", "--root", self.tree, "--json", "--undo", undo, set_file]
        run(self.module, arguments, {})
        self.template = os.path.join(work, "applied")
        shutil.copytree(self.tree, self.template, symlinks=True)

    def renew(self):
        for path in (self.tree, self.journal):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.undo, f"{self.undo}.tmp"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        shutil.copytree(self.template, self.tree, symlinks=True)

    def state(self):
        now = snapshot(self.tree)
        return "old" if now == self.old else "new" if now == self.new else "mixed"

    def row(self, actions, actions_of_recovery=None):
        """One interrupted run, perhaps an interrupted recovery, and a recovery that nothing disturbs."""
        self.renew()
        result = run(self.module, self.command, actions)
        left = {"left": self.state(), "journal": os.path.lexists(self.journal)}
        if actions_of_recovery is not None:
            result = run(self.module, self.recover, actions_of_recovery)
        recovery = run(self.module, self.recover, {})["answer"]
        after = {"recovered": self.state(), "journal_after": os.path.lexists(self.journal)}
        return {**result, **left, "recovery": recovery, **after}

    def state_after(self, actions):
        self.renew()
        run(self.module, self.command, actions)
        return self.state()

    def row_taken_back(self, actions):
        """The same, and then the undo file takes back what was done, if there is one."""
        row = self.row(actions)
        if not os.path.exists(self.undo):
            return {**row, "taken_back": row["recovered"] == "old"}
        run(self.module, ["revert", "--root", self.tree, "--json", self.undo], {})
        return {**row, "taken_back": content(snapshot(self.tree)) == content(self.old)}

    def rows(self, kind):
        if kind == "kill":
            return [self.row_taken_back({at: kind}) for at in range(self.calls + 1)]
        if kind in ("fail", "die"):
            return [self.row({at: kind}) for at in range(self.calls + 1)]
        middle = [at for at in range(self.calls) if self.state_after({at: "kill"}) == "mixed"]
        if kind == "recover":
            return until_undisturbed(lambda at: self.row({middle[0]: "kill"}, {at: "kill"}))
        last = middle[-1]
        return until_undisturbed(lambda at: self.row({last: "fail", last + 1 + at: "kill"}))


def until_undisturbed(row_at):
    rows = []
    while not rows or rows[-1]["status"] is None:
        rows.append(row_at(len(rows)))
    return rows


def main(path, template, set_file, work, command, kind):
    matrix = Matrix(load(path), template, set_file, work, command)
    differ = matrix.old != matrix.new
    print(json.dumps({"differ": differ, "calls": matrix.calls, "rows": matrix.rows(kind)}))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main(*sys.argv[1:])
