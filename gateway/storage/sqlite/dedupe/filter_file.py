"""Saves the Bloom filters at a clean stop, in a file beside the log, so that the next start need not read every key.

Reading ten million keys takes seconds. The file is only a shortcut: a start removes it as it reads it, and uses it only
if it was written at the position where the log ends.
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
    """Write the filters of a log that ends at `position`; `salt` is the log's own. Raises OSError.

    The file is a line of JSON (the salt, the position, and the count and size of each filter), the filters' bytes, and
    a digest of all that.
    """
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
    """Remove the file and return its filters; None if it is missing, damaged, or of another log or position."""
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
