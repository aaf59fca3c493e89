"""The door for commands beside a running server: a socket in the data directory, which is its owner's alone.

What comes in are entries that settle held items, or that store what was refused. A frame is its length in four bytes
and JSON; bytes are in base64.
"""

import asyncio
import base64
import contextlib
import json
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from typing import Any

from gateway.datadir import DataDir
from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, AppendStatus, Blob, Entry, EventRow, Storage

NAME = "control.sock"
MAX_BYTES = 512 << 20
log = logging.getLogger(__name__)
_LENGTH = struct.Struct(">I")


@contextlib.asynccontextmanager
async def listening(directory: DataDir, storage: Storage) -> AsyncIterator[None]:
    """Take entries from commands as long as this lasts; for the holder of the directory's lock only."""
    path = directory.path / NAME
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        _bind(listener, directory)
    except OSError as error:  # not every filesystem has sockets; events come in without this one
        listener.close()
        log.warning("cannot listen on %s: %s; commands that change held items need the server stopped", path, error)
        yield
        return

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _serve(storage, reader, writer)

    server = await asyncio.start_unix_server(serve, sock=listener)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def _bind(listener: socket.socket, directory: DataDir) -> None:
    before = os.umask(0o177)
    try:
        with _near(directory) as near:
            listener.bind(near)
    finally:
        os.umask(before)


async def _serve(storage: Storage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ValueError, KeyError):
        while True:
            entry = _entry(await _receive(reader))
            try:
                appended = await storage.append(entry)
                answer: dict[str, Any] = {"standing": appended.status.value, "seen": appended.seen}
            except StorageUnavailable as problem:
                answer = {"unavailable": str(problem)}
            except Exception as problem:
                log.exception("an entry of a command's cannot be kept")
                answer = {"unavailable": f"the server cannot keep it, its log says why: {problem!r}"}
            _send(writer, answer)
            await writer.drain()
    writer.close()


class Control:
    """The other end: as much of a Storage as a command needs, one entry at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, directory: DataDir) -> "Control":
        """Connect to the server that runs on the directory. Raises OSError where none listens."""
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _near(directory) as near:
                ours.connect(near)
            return cls(*await asyncio.open_unix_connection(sock=ours))
        except BaseException:
            ours.close()
            raise

    async def append(self, entry: Entry) -> Appended:
        """Return once the entry is on disk. Raises StorageUnavailable, also where the server is gone."""
        try:
            _send(self._writer, _facts(entry))
            await self._writer.drain()
            answer = await _receive(self._reader)
        except (OSError, asyncio.IncompleteReadError):
            raise StorageUnavailable("the server ended in the middle; say it again, nothing is done twice") from None
        if "unavailable" in answer:
            raise StorageUnavailable(answer["unavailable"])
        return Appended(AppendStatus(answer["standing"]), tuple(answer["seen"]))

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


@contextlib.contextmanager
def _near(directory: DataDir) -> Iterator[str]:
    """Yield a path to the socket that is short enough for one: an address holds no more than a hundred characters."""
    path = str(directory.path / NAME)
    if len(os.fsencode(path)) < 100 or not os.path.isdir("/proc/self/fd"):
        yield path
        return
    folder = os.open(directory.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)


def _send(writer: asyncio.StreamWriter, facts: dict[str, Any]) -> None:
    frame = json.dumps(facts).encode()
    writer.write(_LENGTH.pack(len(frame)) + frame)


async def _receive(reader: asyncio.StreamReader) -> dict[str, Any]:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_BYTES:
        raise ValueError("a frame is too long")
    facts: dict[str, Any] = json.loads(await reader.readexactly(length))
    return facts


def _facts(entry: Entry) -> dict[str, Any]:
    return {
        "where": [entry.project, entry.dialect, entry.route, entry.received_at],
        "rows": [[_text(row.body), None if row.key is None else _text(row.key)] for row in entry.rows],
        "blobs": [[blob.name, _text(blob.content)] for blob in entry.blobs],
        "settles": entry.resolves,
    }


def _entry(facts: dict[str, Any]) -> Entry:
    rows = tuple(EventRow(_bytes(body), None if key is None else _bytes(key)) for body, key in facts["rows"])
    blobs = tuple(Blob(name, _bytes(content)) for name, content in facts["blobs"])
    project, dialect, route, received_at = facts["where"]
    return Entry(project, dialect, route, received_at, rows, blobs=blobs, resolves=facts["settles"])


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
