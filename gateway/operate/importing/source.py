"""A file's bytes in blocks, inflated if it is gzip: read as a stream, so that no size of a file matters."""

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gateway.operate.importing.found import ImportProblem

BLOCK = 256 * 1024
GZIP = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"


class Source:
    """The bytes of one file. `head` are the first ones, which are read again by `blocks`."""

    def __init__(self, name: str, file: BinaryIO, size: int) -> None:
        """Begin to read. Raises OSError and ImportProblem."""
        self.name = name
        self.size = size
        self._file = file
        # What the reader of the file has taken ahead is given to whoever inflates it.
        is_gzip = file.peek(2)[:2] == GZIP if hasattr(file, "peek") else False
        # A GzipFile has what is used of a BinaryIO here, and is none by its type.
        self._bytes: BinaryIO = gzip.GzipFile(fileobj=file, mode="rb") if is_gzip else file  # type: ignore[assignment]
        self.head = self._read().removeprefix(BOM)

    @property
    def share(self) -> float | None:
        """How much of the file was read, from 0 to 1; None for what is no regular file."""
        return min(1.0, self._file.tell() / self.size) if self.size else None

    def blocks(self) -> Iterator[bytes]:
        """Yield the file's bytes, without a byte order mark. Raises OSError and ImportProblem."""
        block, self.head = self.head, b""
        while block:
            yield block
            block = self._read()

    def _read(self) -> bytes:
        try:
            return self._bytes.read(BLOCK)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ImportProblem(f"{self.name}: its gzip is damaged: {error}") from None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a file. Raises OSError and ImportProblem."""
    with path.open("rb") as file:
        size = path.stat().st_size if path.is_file() else 0
        yield Source(path.name, file, size)
