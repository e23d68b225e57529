"""
Runs one program and lets nothing that descends from it outlive it (Linux).

    python3 -I -S subreaper.py [--confine] [NAME=VALUE]... PROGRAM [ARGUMENT]...

A process that clears its environment and opens a session of its own carries no marker and no group any more, but it
has a parent: a child subreaper (prctl(2)) becomes the parent of every orphan below it. When the program has ended,
its children are killed again and again until there is none: nobody but this process can reap them, so no pid can be
that of somebody else. The variables are the program's alone; this process carries none of its markers, and so
outlives whoever ends the marked.

With --confine nothing below it gains a right by a set-user-id program, a user other than root has at most so many
processes, and no program leaves an image of its memory behind.
"""

import ctypes
import os
import resource
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
MOST_PROCESSES = 2048
KILL_WITHIN_SECONDS = 4.0


def main(arguments):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if arguments[0] == "--confine":
        arguments = arguments[1:]
        confine()
    variables = 0
    while "=" in arguments[variables]:
        variables += 1
    environment = dict(os.environ, **dict(pair.split("=", 1) for pair in arguments[:variables]))
    argv = arguments[variables:]
    program = os.posix_spawnp(argv[0], argv, environment)
    on_signals(lambda number, _: os.kill(program, number))
    let_go_of_outputs()
    wait_for(program)
    on_signals(signal.SIG_IGN)
    kill_children()


def confine():
    if ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        sys.exit("subreaper: this system does not know no_new_privs")
    resource.setrlimit(resource.RLIMIT_NPROC, (MOST_PROCESSES, MOST_PROCESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def on_signals(handler):
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, handler)


def let_go_of_outputs():
    """Whoever reads them sees them end with the program, and its channel too."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.closerange(3, max(nothing, 3) + 1)


def wait_for(program):
    """Orphans that end in the meantime are reaped on the way."""
    while os.waitpid(-1, 0)[0] != program:
        pass


def kill_children():
    deadline = time.monotonic() + KILL_WITHIN_SECONDS
    while time.monotonic() < deadline:
        for pid in children():
            try:
                os.kill(pid, signal.SIGKILL)
            except PermissionError:
                pass  # It took another user's rights: it cannot be ended from here.
        if not reap():
            return
        time.sleep(0.002)


def children():
    own = str(os.getpid())
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="latin-1") as stat:
                state, parent = stat.read().rpartition(") ")[2].split(" ", 2)[:2]
        except OSError:
            continue
        if parent == own and state != "Z":
            yield int(name)


def reap():
    """False when there is no child any more."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
        return True
    except ChildProcessError:
        return False


if __name__ == "__main__":
    main(sys.argv[1:])
