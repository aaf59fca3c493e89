"""What commands may print to: a terminal, a pipe that does not block, a reader that goes away."""

import contextlib
import os
import pty
import subprocess
import threading
import time
from collections.abc import Sequence

from tests.kit.serving import GATEWAY, PATIENCE

SLOW = 0.002  # seconds between two reads of a reader that a fast writer has to wait for


def on_a_terminal(arguments: Sequence[str]) -> tuple[int, str]:
    """Run a command on a terminal of its own; return its exit code and what the terminal got, with plain line ends."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([*GATEWAY, *arguments], stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        got = bytearray()
        with contextlib.suppress(OSError):  # EIO: the command has ended
            while more := os.read(ours, 1 << 16):
                got += more
        os.close(ours)
        code = process.wait(PATIENCE)
    return code, got.decode().replace("\r\n", "\n")


def on_a_pipe_that_does_not_block(arguments: Sequence[str], stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    """Run a command whose standard streams all have O_NONBLOCK, with a slow writer before it and a slow reader."""
    (read_in, write_in), (read_out, write_out) = os.pipe(), os.pipe()
    os.set_blocking(read_in, False)
    os.set_blocking(write_out, False)
    with subprocess.Popen(
        [*GATEWAY, *arguments],
        stdin=read_in,
        stdout=write_out,
        stderr=subprocess.PIPE,
        env={**os.environ, **UNBUFFERED},
    ) as process:
        os.close(read_in)
        os.close(write_out)
        feeder = threading.Thread(target=_feed, args=(write_in, stdin))
        feeder.start()
        got = bytearray()
        while more := os.read(read_out, 1 << 12):
            got += more
            time.sleep(SLOW)
        feeder.join()
        os.close(read_out)
        assert process.stderr is not None
        return process.wait(PATIENCE), bytes(got), process.stderr.read()


UNBUFFERED = {"PYTHONUNBUFFERED": "1"}


def _feed(descriptor: int, data: bytes) -> None:
    for at in range(len(data)):
        os.write(descriptor, data[at : at + 1])
    os.close(descriptor)


def into(path: str, arguments: Sequence[str], **env: str) -> tuple[int, str]:
    """Run a command with its output redirected; return its exit code and what it printed on standard error."""
    with open(path, "wb") as out:
        done = subprocess.run(
            [*GATEWAY, *arguments],
            stdout=out,
            stderr=subprocess.PIPE,
            env={**os.environ, **env},
            timeout=PATIENCE,
            check=False,
        )
    return done.returncode, done.stderr.decode()


def unread(arguments: Sequence[str]) -> tuple[int, str]:
    """Run a command whose output nobody reads; return its exit code and what it printed on standard error."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*GATEWAY, *arguments], stdout=write, stderr=subprocess.PIPE, timeout=PATIENCE, check=False
        )
    finally:
        os.close(write)
    return done.returncode, done.stderr.decode()
