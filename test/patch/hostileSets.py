"""Applies sets to a tree on disk, one after the other, and says of each what came of it and whether anything changed.

    hostileSets.py PATCH_MANAGER AREA < SETS

AREA/tree is the root; the rest of AREA is what no set may touch. SETS is a JSON array. On standard output: an array of
{kind, codes, is_untouched}. The first change ends the run, since the others would be judged on another tree.
"""

import contextlib
import hashlib
import importlib.util
import io
import json
import os
import stat
import sys


def load(path):
    specification = importlib.util.spec_from_file_location("patch_manager", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def digest(area):
    """Names, kinds, permissions, contents and targets of all that is in the area; symlinks are not followed."""
    whole = hashlib.sha256()
    for directory, names, files in os.walk(area):
        names.sort()
        for name in sorted(names + files):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            whole.update(f"{path}\0{status.st_mode}\0{status.st_ino}\0{status.st_mtime_ns}\0".encode())
            if stat.S_ISLNK(status.st_mode):
                whole.update(os.readlink(path).encode())
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as file:
                    whole.update(file.read())
    return whole.hexdigest()


def main(patch_manager, area):
    module, outcomes = load(patch_manager), []
    sets = json.load(sys.stdin)
    before = digest(area)
    for one in sets:
        arguments = ["apply", "--root", os.path.join(area, "tree"), "--base-is-head", "--json"]
        output, sys.stdin = io.StringIO(), io.TextIOWrapper(io.BytesIO(json.dumps(one).encode()))
        with contextlib.redirect_stdout(output):
            module.main(arguments)
        answer = json.loads(output.getvalue())
        codes = [fault["code"] for fault in answer.get("faults", [])]
        is_untouched = digest(area) == before
        outcomes.append({"kind": answer["kind"], "codes": codes, "is_untouched": is_untouched})
        if not is_untouched:
            break
    print(json.dumps(outcomes))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main(*sys.argv[1:])
