"""What commands print: to standard output whole, or the command fails; and no client's text commands a terminal.

All commands print to `sys.stdout`, which `standard_streams` replaces: what is written arrives whole on a pipe that does
not block, too, and an error of the last byte is an error of the command. On a terminal, whatever would be obeyed or
would not be seen is printed as an escape (see printable.py). A file or a pipe gets the bytes as they are.
"""

import codecs
import contextlib
import errno
import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

import click

from gateway.printable import printable_lines

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

OUT = "standard output"
NO_STREAM = {0: os.O_RDONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}
"""How /dev/null is opened where a descriptor is closed: writing to standard output must fail then."""


class OutputError(OSError):
    """Something cannot be written. The message is one line: where, and why."""

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(error.errno, error.strerror)
        self._message = f"cannot write to {name}: {error.strerror}"

    def __str__(self) -> str:
        return self._message


def write_whole(descriptor: int, data: bytes | memoryview, name: str = OUT) -> None:
    """Write all bytes, however little a write takes, waiting where the descriptor does not block.

    Raises BrokenPipeError when nobody reads, and OutputError for all else that fails.
    """
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(descriptor, select.POLLOUT)
            waiting.poll()  # it also returns when the reader is gone
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(name, error) from None


class _Descriptor(io.RawIOBase):
    """A descriptor as the lowest layer of a stream. What comes after an error is thrown away: it was reported."""

    def __init__(self, descriptor: int, name: str, *, escapes: bool) -> None:
        self._descriptor = descriptor
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape") if escapes else None
        self._failed = False

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: "WriteableBuffer", /) -> int:
        view = memoryview(data)
        self._write(view, final=False)
        return view.nbytes

    def finish(self) -> None:
        """Write what may be left of a character that never became whole."""
        self._write(b"", final=True)

    def _write(self, data: bytes | memoryview, *, final: bool) -> None:
        if self._failed:
            return
        if self._decoder is not None:
            data = printable_lines(self._decoder.decode(bytes(data), final)).encode("utf-8")
        try:
            write_whole(self._descriptor, data, self._name)
        except BaseException:
            self._failed = True
            raise


class Stream(io.TextIOWrapper):
    """A text stream onto a descriptor, in UTF-8. Its `buffer` takes bytes. Closing it leaves the descriptor open."""

    def __init__(self, descriptor: int, name: str, *, escapes: bool) -> None:
        self._raw = _Descriptor(descriptor, name, escapes=escapes)
        self._name = name
        super().__init__(
            io.BufferedWriter(self._raw), "utf-8", errors="backslashreplace", line_buffering=self._raw.isatty()
        )

    def finish(self) -> None:
        """Write what is still buffered. Raises BrokenPipeError and OutputError."""
        self.flush()
        self._raw.finish()
        # Some filesystems tell only at a close that there was no room.
        try:
            os.close(os.dup(self.fileno()))
        except OSError as error:
            raise OutputError(self._name, error) from None


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Let `sys.stdout` and `sys.stderr` be streams of this module, where they stand for descriptors, during the block.

    Standard error is for people, and is always escaped. Raises what `Stream.finish` does at the end.
    """
    for descriptor, mode in NO_STREAM.items():
        _occupy(descriptor, mode)
    before = sys.stdout, sys.stderr
    out, err = (_descriptor_of(stream, number) for stream, number in zip(before, (1, 2), strict=True))
    if out is not None:
        sys.stdout = Stream(out, OUT, escapes=os.isatty(out))
    if err is not None:
        sys.stderr = Stream(err, "standard error", escapes=True)
        sys.stderr.reconfigure(line_buffering=True)
    try:
        yield
        if isinstance(sys.stdout, Stream):
            sys.stdout.finish()
    finally:
        sys.stdout, sys.stderr = before


def unescaped(stream: TextIO) -> TextIO:
    """Return a stream onto the same place that escapes nothing: for text of our own that styles a terminal."""
    if not isinstance(stream, Stream):
        return stream
    stream.flush()
    return Stream(stream.fileno(), OUT, escapes=False)


def settle() -> None:
    """Return once all that was printed has arrived, on the disk too if it goes to a file. Raises OSError.

    To be called before what was printed is deleted.
    """
    sys.stdout.flush()
    if isinstance(sys.stdout, Stream) and stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode):
        try:
            os.fsync(sys.stdout.fileno())
        except OSError as error:
            raise OutputError(OUT, error) from None


def read_input(limit: int) -> bytes:
    """Return all of standard input; at most `limit` bytes of it and one more. Raises OSError."""
    read = bytearray()
    while len(read) <= limit:
        try:
            more = os.read(0, limit + 1 - len(read))
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(0, select.POLLIN)
            waiting.poll()
            continue
        if not more:
            break
        read += more
    return bytes(read)


@contextlib.contextmanager
def must_be_read(otherwise: str) -> Iterator[None]:
    """Raise ClickException in place of BrokenPipeError, with what follows from it: `nothing was dropped`.

    A reader that has enough, such as `head`, is no failure for a command that only reads.
    """
    try:
        yield
    except BrokenPipeError:
        raise click.ClickException(f"{otherwise}: nobody reads standard output") from None


def _descriptor_of(stream: TextIO | None, number: int) -> int | None:
    """Return the descriptor under a stream; None under one in memory. A stream that was closed at start is None."""
    if stream is None:
        return number
    try:
        return stream.fileno()
    except (io.UnsupportedOperation, ValueError):
        return None


def _occupy(descriptor: int, mode: int) -> None:
    """Open /dev/null as a standard descriptor that is closed, so that no file or socket gets its number."""
    try:
        os.fstat(descriptor)
    except OSError as error:
        if error.errno == errno.EBADF:
            null = os.open(os.devnull, mode)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
