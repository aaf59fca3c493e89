"""The files that came with events, in a folder addressed by content. No database here."""

import contextlib
import hashlib
import os
import re
from pathlib import Path

import attrs

from gateway.datadir import sync_folder
from gateway.storage.contract import Blob

NAME = re.compile(r"[0-9a-f]{64}")


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@attrs.frozen
class Blobs:
    """A folder of files, each named by the SHA-256 of its bytes: `blobs/ab/cdef...`."""

    root: Path

    def path(self, name: str) -> Path:
        """Return the path of a blob. Raises ValueError on a name that is not a digest, such as a path."""
        if not NAME.fullmatch(name):
            raise ValueError("a blob is named by the SHA-256 of its bytes in lower-case hex")
        return self.root / name[:2] / name[2:]

    def sweep(self) -> None:
        """Remove half-written files of a killed process. Only the holder of the directory's lock may call this."""
        for left in self.root.glob("*/*.part"):
            left.unlink()

    def keep(self, blob: Blob) -> None:
        """Return once the file and its name are on disk. A file that exists is not written again.

        Raises ValueError if the content does not match the name, and OSError.
        """
        final = self.path(blob.name)
        if hashlib.sha256(blob.content).hexdigest() != blob.name:
            raise ValueError(f"the content of blob {blob.name} is not what its name says")
        self._folder(final.parent)
        if not final.exists():
            self._write(final, blob.content)
        try:
            # For an existing file too: the process that renamed it may have been killed before this line.
            sync_folder(final.parent)
        except OSError:
            # A second fsync would report success without having written, so the name has to be created anew.
            with contextlib.suppress(OSError):
                final.unlink()
            raise

    def remove(self, name: str) -> bool:
        """Remove a file, and return whether there was one. Raises OSError."""
        path = self.path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        sync_folder(path.parent)
        return True

    def _folder(self, folder: Path) -> None:
        for each in (self.root, folder):  # not `parents=True`, which would create the root readable by others
            each.mkdir(mode=0o700, exist_ok=True)
        # Every time, for the same reason as above; blobs are rare beside events.
        sync_folder(self.root.parent)
        sync_folder(self.root)

    def _write(self, final: Path, content: bytes) -> None:
        part = final.with_suffix(".part")
        try:
            with open(part, "wb", opener=_owner_only) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(final)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
