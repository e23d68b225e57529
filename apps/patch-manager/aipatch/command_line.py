"""The command line: its help, its exit statuses, and what a person reads."""

from __future__ import annotations

import argparse
import json
import sys

from .commands import run_recover, run_revert, run_set
from .failures import ApplyFailure, UnreadableInput
from .faults import Fault
from .model import DEFAULT_LIMITS
from .vectors import run_vectors


class ArgumentParser(argparse.ArgumentParser):
    """Wrong usage is answered like other unreadable input, in JSON where that was asked for."""

    def __init__(self, **options):
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str):
        raise UnreadableInput(f"{message}; {' '.join(self.format_usage().split())}")


HELP = """\
Checks and applies patch sets of the format aipatch/1 to a directory: a set is done whole or not at all.
It needs nothing but Python 3.9 on a POSIX system. The format is in docs/patch-format.md."""

EXAMPLES = """\
examples:
  See what a set would do, do it, and take it back:
    patch_manager.py check  --root project set.json
    patch_manager.py apply  --root project --undo undo.json set.json
    patch_manager.py revert --root project undo.json

  Let the project be that of the commit that the set names, so that patches need no guard:
    patch_manager.py apply --root project --base-is-head set.json

  The project moved on since the set was made; base holds the files of then:
    patch_manager.py apply --root project --base base set.json

exit status:
  0  done, or nothing was left to do; with check: it would be done
  1  refused: nothing changed, every reason is listed
  2  wrong usage, or input that cannot be read
  3  reading or writing failed; the tree is as it was, unless the message says otherwise

A run that was killed leaves the tree to the next one: apply, revert and recover first finish it or take it back."""

COMMANDS = {
    "apply": "Applies a set, all of it or nothing.",
    "check": "Says what apply would do. Nothing is written.",
    "revert": "Takes an applied set back, by the undo file that apply wrote, or by --base and the set itself.",
    "recover": "Finishes a run that was interrupted, or takes it back.",
    "vectors": "Runs a file of test vectors in memory.",
}


def argument_parser() -> argparse.ArgumentParser:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = ArgumentParser(
        prog="patch_manager.py", description=HELP, epilog=EXAMPLES, formatter_class=as_written
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, description=text)
    for name in ("apply", "check", "revert"):
        add_set_options(name, commands.choices[name])
    for name in ("apply", "check", "revert", "recover"):
        command = commands.choices[name]
        command.add_argument("--root", required=True, metavar="DIR", help="the directory to work on")
        command.add_argument("--journal", metavar="DIR", help="where the journal goes; default: beside the root")
    commands.choices["vectors"].add_argument("file", metavar="FILE", help="- is standard input")
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser


def add_set_options(name: str, command: argparse.ArgumentParser) -> None:
    command.add_argument("--allow-protected", action="store_true", help="a person has approved the set")
    command.add_argument(
        "--allowed-path",
        action="append",
        metavar="PATH",
        help="a path, directory or pattern that the set may change; may be given more than once; default: all",
    )
    if name == "revert":
        base_help = "the files that a set was made for; then UNDOFILE is that set"
        command.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    else:
        base_help = "the files that the set was made for; with them, files that changed since are merged"
        command.add_argument(
            "--base-is-head", action="store_true", help="the tree is that of base.commit, so patches need no guard"
        )
    command.add_argument("--base", metavar="DIR", help=base_help)
    if name != "check":
        command.add_argument("--undo", metavar="FILE", help="write what takes this change back to FILE, a new file")
    for limit in DEFAULT_LIMITS:
        command.add_argument(
            f"--max-{limit.replace('_', '-')}",
            type=int,
            metavar="N",
            help=f"refuse more {limit.replace('_', ' ')}; default: {DEFAULT_LIMITS[limit]}",
        )
    what = "UNDOFILE" if name == "revert" else "SETFILE"
    command.add_argument("set_file", nargs="?", default="-", metavar=what, help="default: standard input")


def text_of(outcome: dict) -> str:
    """What a person reads. Paths are quoted, since a hostile one could steer a terminal."""
    kind = outcome["kind"]
    if kind == "refused":
        lines = [f"refused for {counted(outcome['faults'], 'fault')}, nothing changed"]
        lines += [f"  {fault_text(fault)}" for fault in outcome["faults"]]
        return "\n".join(lines)
    if kind in ("applied", "reverted"):
        changed = [
            f"  {file.get('mode', 'deleted')} {json.dumps(file['path'])}" for file in outcome["files"]
        ]
        moved = [f"  patch {one['index']} moved by {one['lines']} lines" for one in outcome["shifts"]]
        merged = [f"  merged {json.dumps(path)}" for path in outcome["merged"]]
        return "\n".join([f"{kind}, {counted(changed, 'file')} changed", *changed, *moved, *merged])
    if kind == "vectors":
        return "\n".join(f"{json.dumps(one['name'])} {vector_text(one)}" for one in outcome["vectors"])
    return {"recovered": f"recovered: {outcome.get('recovered')}"}.get(kind, kind.replace("_", " "))


def counted(items: list, noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def fault_text(fault: Fault) -> str:
    where = "set" if fault["file"] is None else json.dumps(fault["file"])
    patch = "" if fault["index"] is None else f" patch {fault['index']}"
    return f"{where}{patch}: {fault['code']}: {fault['message']}"


def vector_text(outcome: dict) -> str:
    codes = [fault["code"] for fault in outcome.get("faults", [])]
    return " ".join([outcome["kind"], *codes])


def main(argv=None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    run = {
        "apply": run_set,
        "check": run_set,
        "revert": run_revert,
        "recover": run_recover,
        "vectors": run_vectors,
    }
    try:
        arguments = argument_parser().parse_args(argv)
        outcome = run[arguments.command](arguments)
        status = 1 if outcome["kind"] == "refused" else 0
    except UnreadableInput as error:
        outcome, status = {"kind": "unreadable", "message": str(error)}, 2
    except ApplyFailure as error:
        outcome = {"kind": "failed", "message": str(error), "restored": error.is_restored}
        status = 3
    if "--json" in argv:
        print(json.dumps(outcome))
    elif status in (2, 3):
        print(f"patch_manager.py: {json.dumps(outcome['message'])[1:-1]}", file=sys.stderr)
    else:
        print(text_of(outcome))
    return status
