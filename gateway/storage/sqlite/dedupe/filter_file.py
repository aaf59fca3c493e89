"""What the filters held at a clean stop, in a file beside the log: the next start need not read every key again.

Ten million keys take some seconds to read, and none with this file. It is only a shortcut: it is taken once and
removed, and believed only where it was written at the very position at which the log ends.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from gateway.storage.sqlite.dedupe.bloom_filter import BloomFilter

NAME = "seen.filter"
DIGEST_BYTES = 32


def save(folder: Path, salt: int, position: int, filters: Sequence[BloomFilter]) -> None:
    """Write the filters of a log that ends at a position. Raises OSError."""
    head = {"salt": salt, "position": position, "filters": [[each.count, len(each.bits)] for each in filters]}
    parts: list[bytes | bytearray] = [json.dumps(head).encode() + b"\n", *[each.bits for each in filters]]
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    unfinished = folder / f"{NAME}.unfinished"
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
        file.write(digest.digest())
    unfinished.rename(folder / NAME)


def take(folder: Path, salt: int, position: int) -> list[BloomFilter] | None:
    """Return the filters of the last stop, and remove their file; None where there are none for this end of the log."""
    path = folder / NAME
    try:
        raw = path.read_bytes()
        path.unlink()
    except OSError:
        return None
    line, _, rest = raw.partition(b"\n")
    if hashlib.blake2b(raw[:-DIGEST_BYTES], digest_size=DIGEST_BYTES).digest() != raw[-DIGEST_BYTES:]:
        return None
    head = json.loads(line)
    if (head["salt"], head["position"]) != (salt, position):
        return None
    filters, start = [], 0
    for count, size in head["filters"]:
        filters.append(BloomFilter(bytearray(rest[start : start + size]), count))
        start += size
    return filters
