"""A program of its own, which `Kept` starts: runs one server, and when that ends, ends whatever came of it.

    python -IS keeper.py USER FOLDER LOG COMMAND...
    python -IS keeper.py FOLDER

USER is a numeric user id to run as, or `-` for the own one. The command's pid is printed, then:

- when the command ends, its other processes are killed, as an init system does with a service, and the keeper ends
  with its exit code;
- when standard input ends (the test process is gone, even by SIGKILL), all are killed and FOLDER is removed.

Without a command, it only waits for the end of standard input.
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
ROUND, ROUNDS = 0.01, 1000  # seconds, and how often at most


def main(user: str, folder: str, log: str, *command: str) -> int:
    """Run the command; return its exit code when nothing of it is left."""
    if hasattr(os, "pidfd_open"):  # on Linux
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
    print(child.pid, flush=True)
    is_left = left_by(child)
    if is_left:
        child.kill()
    code = child.wait()
    kill_all()
    if is_left:
        remove(folder)
    return code if code >= 0 else 128 - code


def left_by(child: "subprocess.Popen[bytes]") -> bool:
    """Wait until the command has ended, or standard input has: return whether it was that."""
    if not hasattr(os, "pidfd_open"):
        while not select.select([sys.stdin], [], [], ROUND)[0]:
            if child.poll() is not None:
                return False
        return True
    ready, _, _ = select.select([sys.stdin, os.pidfd_open(child.pid)], [], [])
    return sys.stdin in ready


def remove(folder: str) -> None:
    """Remove a folder, also one in which other processes that are just ending still write."""
    for _ in range(ROUNDS):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(ROUND)


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
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
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
    if len(sys.argv) > 2:
        sys.exit(main(*sys.argv[1:]))
    sys.stdin.read()
    remove(sys.argv[1])
