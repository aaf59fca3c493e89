"""The archive's members: names, headers, compression. Pure. Everything that a header may say is bounded."""

import tarfile
from collections.abc import Sequence

from gateway.store_error import StoreError

try:
    from isal import isal_zlib as zlib
except ImportError:
    import zlib  # type: ignore[no-redef]  # either module, by the same name: isal has zlib's functions

FORMAT = "gateway-backup"
VERSION = 1
"""That of the format. It changes when an older gateway would misunderstand a file, not with each new table."""
FIRST, LAST = "backup.json", "end.json"
SUFFIX = ".jsonl.gz"
BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
"""What a tar archive ends with."""
GOAL = 8 << 20
"""A member of many lines ends at about so many bytes before compression."""
MOST = 256 << 20
"""No member is larger, before and after compression: a reader never has more of one in memory."""
GZIP = 31  # zlib's name for gzip's frame
LEVEL = 1  # higher ones take several times as long for a fifth less
DAMAGED: type[Exception] = zlib.error  # type: ignore[assignment]  # isal's stub has an exception here, not its class


class BackupError(StoreError):
    """A backup that cannot be made or used. The message is one line for the operator."""


def name_of(number: int, kind: str) -> str:
    """Return the name of a member, such as `00000001.events.jsonl.gz`."""
    return f"{number:08d}.{kind}{SUFFIX}"


def kind_of(number: int, name: str) -> str | None:
    """Return the kind of the member that has this number; None if it has another name."""
    kind = name.removeprefix(f"{number:08d}.").removesuffix(SUFFIX)
    return kind if name == name_of(number, kind) else None


def header(name: str, size: int, seconds: int) -> bytes:
    """Return the header of a member: `seconds` is its time, since the epoch."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, seconds, 0o600
    return info.tobuf(tarfile.USTAR_FORMAT)


def parsed(block: bytes) -> tuple[str, int]:
    """Return the name and size of a member. Raises ValueError on anything that `header` would not write."""
    try:
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        is_ours = info.mtime >= 0 and header(info.name, info.size, int(info.mtime)) == block
    except (tarfile.HeaderError, ValueError, TypeError, OverflowError):
        is_ours = False
    if not is_ours:
        raise ValueError("its header is damaged")
    if info.size > MOST:
        raise ValueError("it is larger than any that a gateway writes")
    return info.name, info.size


def padding(size: int) -> bytes:
    """Return what follows a content of this size."""
    return bytes(-size % BLOCK)


def compressed(lines: Sequence[bytes]) -> bytes:
    """Return lines as the content of a member. Raises BackupError if they are too many bytes for one."""
    text = b"".join([part for line in lines for part in (line, b"\n")])
    if len(text) > MOST:
        raise BackupError(f"one row takes {len(text) >> 20} MB, more than a backup can hold ({MOST >> 20} MB)")
    return zlib.compress(text, LEVEL, GZIP)


def decompressed(content: bytes) -> list[bytes]:
    """Return the lines of a member. Raises ValueError, before there is more than MOST bytes in memory."""
    inflating = zlib.decompressobj(GZIP)
    try:
        text = inflating.decompress(content, MOST + 1)
    except DAMAGED as error:
        raise ValueError(f"its content is damaged ({error})") from None
    if len(text) > MOST:
        raise ValueError("its content is larger than any that a gateway writes")
    if not inflating.eof or inflating.unused_data or not text.endswith(b"\n"):
        raise ValueError("its content is cut off, or something follows it")
    return text[:-1].split(b"\n")
