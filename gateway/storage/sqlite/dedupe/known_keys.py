"""Which keys were seen before: the newest in memory, the older ones on disk, merged a slice a commit.

Every chunk of the log carries its keys, so memory is never saved: it is read again from what is above the watermark.
A key's word decides its bucket. A merge adds one row a bucket with all the keys that memory has for it, so that what it
writes is the same however many keys there are. Reading a bucket is slow beside that, and rare: filters say of nearly
every new key that it is not there.
"""

import sqlite3
import struct
from collections.abc import Collection, Iterable
from pathlib import Path

import attrs

from gateway.storage.sqlite.chunks import KEY_BYTES, keys_of
from gateway.storage.sqlite.dedupe import filter_file
from gateway.storage.sqlite.dedupe.bloom_filter import BloomFilter
from gateway.storage.sqlite.dedupe.migrate_v2 import migrate_v2
from gateway.storage.sqlite.statements import bulk_insert, select_pairs

SHIFT = 50
BUCKETS = 1 << (64 - SHIFT)
LAST_BUCKET = BUCKETS - 1
iter_unpack = struct.Struct("<8xQ").iter_unpack
FOUND = (
    "SELECT group_concat(hex(a.key)) FROM asked a WHERE EXISTS "
    "(SELECT 1 FROM seen_current s WHERE s.bucket = a.bucket AND instr(s.keys, a.key) % 16 = 1) "
    "OR EXISTS (SELECT 1 FROM seen_previous s WHERE s.bucket = a.bucket AND instr(s.keys, a.key) % 16 = 1)"
)
CURRENT = "SELECT keys FROM seen_current"
PREVIOUS = "SELECT keys FROM seen_previous"
NEWEST = "SELECT keys FROM log WHERE last > ? ORDER BY last"


def _buckets() -> list[bytearray]:
    return [bytearray() for _ in range(BUCKETS)]


@attrs.define
class KnownKeys:
    """The keys of the log. Not safe for two threads at a time.

    `bound` keys in memory start a merge; while it runs memory may hold as many again. A merge puts a hundredth of that
    into each commit, and at least twice what the commit adds, so that it always ends before the next one is due.
    A merge starts early where the events up to the position `wanted` are to be merged. The filters of `worth` keys are
    left to the next start: fewer are read in less time than their file takes.
    """

    bound: int = 200_000
    save_threshold: int = 500_000
    memtable: list[bytearray] = attrs.field(factory=_buckets, init=False)
    immutable: list[bytearray] = attrs.field(factory=_buckets, init=False)
    count: int = attrs.field(default=0, init=False)
    merge_up_to: int = attrs.field(default=0, init=False)
    current: BloomFilter = attrs.field(factory=BloomFilter, init=False)
    previous: BloomFilter | None = attrs.field(default=None, init=False)
    _asked: tuple[list[bytes], list[int]] = attrs.field(factory=lambda: ([], []), init=False)
    _salt: int = attrs.field(default=1, init=False)
    _order: list[int] = attrs.field(factory=list, init=False)
    _done: int = attrs.field(default=0, init=False)
    _frozen_to: int = attrs.field(default=0, init=False)

    def load(self, connection: sqlite3.Connection, watermark: int, position: int, folder: Path) -> None:
        """Read the keys of the events above the watermark, and what is on disk into the filters.

        What a clean stop left of these in the folder takes the place of the latter.
        """
        self._frozen_to = watermark
        (self._salt,) = connection.execute("SELECT value FROM meta WHERE name = 'salt'").fetchone()
        migrate_v2(connection, lambda key: self._words(key)[0] >> SHIFT & LAST_BUCKET)
        saved = filter_file.take(folder, self._salt, position)
        if saved is not None:
            self.current, self.previous = saved[0], saved[1] if saved[1:] else None
        else:
            self._learn(self.current, connection.execute(CURRENT))
            if connection.execute(PREVIOUS).fetchone():
                self.previous = BloomFilter()
                self._learn(self.previous, connection.execute(PREVIOUS))
        for (keys,) in connection.execute(NEWEST, (watermark,)):
            self.remember(keys_of(keys), 0)

    def save(self, position: int, folder: Path) -> None:
        """Leave the filters to the next start, at a clean stop, where there are keys enough. Raises OSError."""
        filters = [each for each in (self.current, self.previous) if each is not None]
        if sum(each.count for each in filters) >= self.save_threshold:
            filter_file.save(folder, self._salt, position, filters)

    def find(self, connection: sqlite3.Connection, keys: Iterable[bytes]) -> set[bytes]:
        """Return which of the keys were committed before; one statement for all that memory does not know."""
        asked = list(keys)
        words = self._words(b"".join(asked))
        if len(words) != len(asked):
            raise ValueError(f"a key has another size than {KEY_BYTES} bytes")
        self._asked = asked, words
        # Added before the commit and left there if it fails: a filter that says "maybe" is only asked to look closer.
        maybe = set(self.current.add(words))
        if self.previous is not None:
            maybe.update(self.previous.maybe(words))
        known: set[bytes] = set()
        unknown: list[tuple[int, bytes]] = []
        for word, key in zip(words, asked, strict=True) if maybe else ():
            if word not in maybe:
                continue
            bucket = word >> SHIFT & LAST_BUCKET
            if _holds(self.memtable[bucket], key) or _holds(self.immutable[bucket], key):
                known.add(key)
            else:
                unknown.append((bucket, key))
        for found in select_pairs(connection, FOUND, unknown):
            known.update(map(bytes.fromhex, found.split(",")))
        return known

    def merge(self, connection: sqlite3.Connection, position: int, adding: int) -> int:
        """Write the next slice inside the open transaction and return its buckets, for `publish` after the commit.

        `position` is the last one committed so far. With the last slice the watermark moves, in the same transaction.
        """
        if not self._order and not self._freeze(position):
            return 0
        goal = KEY_BYTES * max(1, self.bound // 100, 2 * adding)
        end = self._done
        flat: list[object] = []
        while end < len(self._order) and goal > 0:
            bucket = self._order[end]
            flat += (bucket, self._frozen_to, self.immutable[bucket])
            goal -= len(self.immutable[bucket])
            end += 1
        # A merge that a kill cut short is made again with all that it had, under a number of its own or the same.
        bulk_insert(connection, "INSERT OR REPLACE INTO seen_current ", 3, flat)
        if end == len(self._order):
            connection.execute("UPDATE meta SET value = ? WHERE name = 'watermark'", (self._frozen_to,))
        return end - self._done

    def remember(self, keys: Collection[bytes], merged: int) -> None:
        """Take in what was committed. Never before: a key known from a commit that failed turns its retry into loss."""
        asked, words = self._asked
        if len(asked) != len(keys):  # most often all that was asked about is new
            asked = list(keys)
            words = self._words(b"".join(asked))
            self.current.add(words)
        memtable = self.memtable
        for word, key in zip(words, asked, strict=True):
            memtable[word >> SHIFT & LAST_BUCKET] += key
        self.count += len(asked)
        self._asked = [], []
        self._done += merged
        if merged and self._done == len(self._order):
            self.immutable, self._order, self._done = _buckets(), [], 0

    def rotate(self) -> None:
        """Let the current generation be the previous one, once that is committed; what memory holds is merged later."""
        self.previous, self.current = self.current, BloomFilter()
        for bucket in (*self.memtable, *self.immutable):
            self.current.add(self._words(bucket))

    def _learn(self, found: BloomFilter, rows: sqlite3.Cursor) -> None:
        while some := rows.fetchmany(1000):
            found.add(self._words(b"".join([keys for (keys,) in some])))

    def _words(self, keys: bytes | bytearray) -> list[int]:
        # Multiplied by what only this file knows: or a client could choose ids that all fall into one bucket.
        salt = self._salt
        return [word * salt for (word,) in iter_unpack(keys)]

    def _freeze(self, position: int) -> bool:
        # Rows without keys move the watermark too, or a start would read all of a log that has none.
        # So does what is to be forgotten, which must be merged before.
        few = self.count < self.bound and position - self._frozen_to < 4 * self.bound
        if few and self.merge_up_to <= self._frozen_to:
            return False
        self.immutable, self.memtable, self.count = self.memtable, _buckets(), 0
        self._order = [bucket for bucket, keys in enumerate(self.immutable) if keys]
        self._done, self._frozen_to = 0, position
        return True


def _holds(bucket: bytearray, key: bytes) -> bool:
    at = bucket.find(key)
    return at >= 0 and at % KEY_BYTES == 0
