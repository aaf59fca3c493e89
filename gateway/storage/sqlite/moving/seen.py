"""Puts dedupe keys that come from another store into the tables of keys that were seen. Synchronous."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence

import attrs

from gateway.storage.sqlite.connection.statements import bulk_insert
from gateway.storage.sqlite.dedupe.known_keys import BUCKET_MASK, BUCKET_SHIFT, iter_unpack


@attrs.define
class SeenKeys:
    """`salt` decides the bucket of a key. The runs are negative, so that they differ from those of a flush."""

    salt: int
    run: int

    @classmethod
    def load(cls, file: sqlite3.Connection) -> "SeenKeys":
        """Read what must be known of the file."""
        [(salt,)] = file.execute("SELECT value FROM meta WHERE name = 'salt'").fetchall()
        [(run,)] = file.execute("SELECT coalesce(min(run), 0) FROM seen_current").fetchall()
        return cls(salt, min(0, run))

    def add(self, file: sqlite3.Connection, keys: Sequence[bytes]) -> None:
        """Inside the open transaction, add keys of 16 bytes. One that is there already does no harm."""
        if not keys:
            return
        self.run -= 1
        buckets: defaultdict[int, bytearray] = defaultdict(bytearray)
        for key, (word,) in zip(keys, iter_unpack(b"".join(keys)), strict=True):
            buckets[word * self.salt >> BUCKET_SHIFT & BUCKET_MASK] += key
        flat = [value for bucket, found in sorted(buckets.items()) for value in (bucket, self.run, found)]
        bulk_insert(file, "INSERT INTO seen_current ", 3, flat)
