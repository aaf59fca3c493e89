"""The files that came with events: a folder addressed by content. Nothing but files here."""

import contextlib
import hashlib
import os
import re
from pathlib import Path

import attrs

from gateway.datadir import sync_folder
from gateway.storage.contract import Blob

NAME = re.compile(r"[0-9a-f]{64}")


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@attrs.frozen
class Blobs:
    """A folder of files, each named by the SHA-256 of its bytes: blobs/ab/cdef..."""

    root: Path

    def path(self, name: str) -> Path:
        """Return where the file of that name lies. Raises ValueError on what is not a digest, such as a path."""
        if not NAME.fullmatch(name):
            raise ValueError("a blob is named by the SHA-256 of its bytes in lower-case hex")
        return self.root / name[:2] / name[2:]

    def sweep(self) -> None:
        """Remove what a killed process left half-written; for the holder of the lock only."""
        for left in self.root.glob("*/*.part"):
            left.unlink()

    def keep(self, blob: Blob) -> None:
        """Return once the file and its name are on disk. What is already there is not written again."""
        final = self.path(blob.name)
        if hashlib.sha256(blob.content).hexdigest() != blob.name:
            raise ValueError(f"the content of blob {blob.name} is not what its name says")
        self._folder(final.parent)
        if not final.exists():
            self._write(final, blob.content)
        try:
            # Also for a file found there: who renamed it may have been killed before this.
            sync_folder(final.parent)
        except OSError:
            # A later fsync of the same folder would say yes without having written: the name must be made anew.
            with contextlib.suppress(OSError):
                final.unlink()
            raise

    def _folder(self, folder: Path) -> None:
        for each in (self.root, folder):  # not by `parents`, which would leave the root open to others
            each.mkdir(mode=0o700, exist_ok=True)
        # Each time, for the same reason as above; blobs are rare beside events.
        sync_folder(self.root.parent)
        sync_folder(self.root)

    def _write(self, final: Path, content: bytes) -> None:
        part = final.with_suffix(".part")
        try:
            with open(part, "wb", opener=_for_owner) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(final)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
