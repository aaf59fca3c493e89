"""A `gateway` for shells, whose commands are forks of a process that has imported them: that takes a tenth of the time.

It is a folder for PATH with one small program, and a server on a Unix socket in that folder. The program hands over its
arguments, its directory, its environment and its descriptors, passes on Ctrl-C and SIGTERM, and ends with the
command's exit code.
"""

import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from gateway.cli.main import main
from tests.kit import forked

PROGRAM = """#!{python} -IS
import json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [len(told).to_bytes(4, "big")], [0, 1, 2])
server.sendall(told)
answers = server.makefile()
command = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, _frame: os.kill(command, number))
os._exit(int(answers.readline() or 1))
"""


@contextlib.contextmanager
def shells() -> Iterator[Path]:
    """Return a folder that stands first in the PATH of a shell."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        address = str(folder / "socket")
        program = folder / "gateway"
        program.write_text(PROGRAM.format(python=sys.executable, address=address), "utf-8")
        program.chmod(0o700)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen()
            server = forked.FORKS.Process(target=_serve, args=(listener,))
            server.start()
        try:
            yield folder
        finally:
            server.kill()
            server.join()


def _serve(listener: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the commands here
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _command(client)
        client.close()


def _command(client: socket.socket) -> NoReturn:
    head, descriptors, _, _ = socket.recv_fds(client, 4, 3)
    with client.makefile("rb") as told:
        arguments, directory, environ = json.loads(told.read(int.from_bytes(head, "big")))
    # As in a terminal, also where the tests run in the background of a shell, which ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    client.sendall(f"{os.getpid()}\n".encode())
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ)
    code: object = 1
    try:
        main(arguments, prog_name="gateway")
    except SystemExit as ended:
        code = ended.code or 0
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    client.sendall(f"{code}\n".encode())
    os._exit(0)
