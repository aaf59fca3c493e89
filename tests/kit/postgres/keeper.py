"""A program of its own, which `Kept` starts: runs one server, and when that ends, ends whatever came of it.

    python -IS keeper.py USER FOLDER LOG COMMAND...

USER is a numeric user id to run as, or `-` for the own one. The command's pid is printed, then:

- when the command ends, its other processes are killed, as an init system does with a service, and the keeper ends;
- when standard input ends (the test process is gone, even by SIGKILL), all are killed and FOLDER is removed.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

PR_SET_CHILD_SUBREAPER = 36
ROUND = 0.01  # seconds


def main(user: str, folder: str, log: str, *command: str) -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # so that orphans become children of this process
    number = None if user == "-" else int(user)
    with open(log, "ab") as said:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd=folder,
            user=number,
            group=number,
            extra_groups=None if number is None else [],
        )
    ended = os.pidfd_open(child.pid)
    print(child.pid, flush=True)
    ready, _, _ = select.select([sys.stdin, ended], [], [])
    kill_all()
    if sys.stdin in ready:
        shutil.rmtree(folder, ignore_errors=True)


def kill_all() -> None:
    """Kill all descendants of this process, the stopped ones too, and wait until none is left."""
    while family := list(descendants(os.getpid())):
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        time.sleep(ROUND)


def descendants(root: int) -> Iterator[int]:
    """Yield the pids of all processes below one, parents first."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(name))
    found = children.get(root, [])
    for pid in found:
        yield pid
        found.extend(children.get(pid, []))


if __name__ == "__main__":
    main(*sys.argv[1:])
