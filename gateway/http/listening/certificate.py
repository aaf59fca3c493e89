"""A certificate and its key, from files, and again when the files change. No connections here."""

import asyncio
import logging
import ssl
from pathlib import Path

LOOK_SECONDS = 1.0
log = logging.getLogger(__name__)

Seen = tuple[tuple[int, int, int], ...]
"""What tells of each file whether it is another now: inode, time of change in nanoseconds, size."""


class BadCertificate(OSError):
    """A certificate or a key that cannot be used; the message is one line that names the file."""


class Certificate:
    """A certificate (with the chain that leads to it) and its key, both PEM.

    `context` is for the next connection. `follow` puts another in its place once the files have changed and are left
    alone for a moment, so that a pair that is written one file after the other is read whole. A pair that cannot be
    used is one line of the log, and the last good one stays; it is tried again: it may only want another owner.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files. Raises BadCertificate."""
        self._files = (certificate, key)
        self._seen = seen(*self._files)
        self._told: tuple[Seen, str] | None = None
        self.context = load(*self._files)

    async def follow(self, seconds: float = LOOK_SECONDS) -> None:
        """Look at the files now and then, as long as this task runs."""
        before = self._seen
        while True:
            await asyncio.sleep(seconds)
            found = await asyncio.to_thread(seen, *self._files)  # a disk may take its time
            if found == before != self._seen:
                await self._renew(found)
            before = found

    async def _renew(self, found: Seen) -> None:
        try:
            self.context = await asyncio.to_thread(load, *self._files)
        except BadCertificate as problem:
            told, self._told = self._told, (found, str(problem))
            if told != self._told:
                log.error("%s; the certificate that was read before stays", problem)
        else:
            self._seen, self._told = found, None
            log.info("read %s and its key anew", self._files[0])


def seen(*files: Path) -> Seen:
    """Return what tells of files whether they have changed; zeros where there is none."""
    return tuple(_seen(file) for file in files)


def _seen(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()  # of what a link leads to: that is what is replaced
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size


def load(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a server's context: TLS 1.2 or later. Raises BadCertificate."""
    for file in (certificate, key):
        if file.exists() and not (
            file.is_file() or file.is_dir()
        ):  # to open a FIFO would wait for ever, also at a stop
            raise BadCertificate(f"TLS: {file} is not a regular file")
        try:
            with file.open("rb") as opened:
                opened.read(1)
        except OSError as error:
            raise BadCertificate(f"TLS: cannot read {file}: {error.strerror}") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _Encrypted:
        raise BadCertificate(f"TLS: the key {key} is encrypted; write it without a passphrase") from None
    except (ssl.SSLError, ValueError) as error:
        raise BadCertificate(f"TLS: {_why(certificate, key, error)}") from None
    return context


class _Encrypted(Exception):
    pass


def _no_password() -> str:
    raise _Encrypted  # or OpenSSL would ask at the terminal


def _why(certificate: Path, key: Path, error: Exception) -> str:
    reason = getattr(error, "reason", None) or str(error)
    if reason == "KEY_VALUES_MISMATCH":
        return f"the key {key} is not that of the certificate {certificate}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except (ssl.SSLError, ValueError):
        return f"{certificate} holds no certificate (PEM)"
    if "PEM" in reason or reason == "NO_START_LINE":
        return f"{key} holds no private key (PEM)"
    return f"{certificate} with the key {key}: {reason.replace('_', ' ').lower()}"
