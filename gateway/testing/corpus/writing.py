"""Replaces files of a corpus: all of them or, where one cannot be written, none. Never a half-written one."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.testing.check import fail, require

OUTSIDE = "put the case itself into the folder, or take the link away"
WRITABLE = "make the folder one that you may write to, on a disk with room"


def replace(folder: Path, texts: Mapping[Path, str]) -> None:
    """Write files of a folder anew. Raises Failure, then all of them are as before.

    A link is followed, but not out of the folder.
    """
    with contextlib.ExitStack() as written:
        ready: list[tuple[Path, Path]] = []
        for file, text in texts.items():
            target = file.resolve()
            require(
                target.is_relative_to(folder.resolve()), f"{file}: it is a link to {target}, out of {folder}", OUTSIDE
            )
            with _told(file):
                ready.append((written.enter_context(_beside(target, text)), target))
        for file, (new, target) in zip(texts, ready, strict=True):
            with _told(file):
                new.replace(target)


@contextlib.contextmanager
def _beside(target: Path, text: str) -> Iterator[Path]:
    """Yield a new file beside another one, with its rights, whole and on the disk. It is removed if it is still there.

    Its name is none of a case.
    """
    number, name = tempfile.mkstemp(prefix=f".{target.stem[:100]}.", suffix=".new", dir=target.parent)
    new = Path(name)
    try:
        with open(number, "w", encoding="utf-8") as out:
            os.fchmod(number, target.stat().st_mode & 0o777)
            out.write(text)
            out.flush()
            os.fsync(number)
        yield new
    finally:
        new.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fail(f"{file}: it cannot be written: {error.strerror}", WRITABLE)
