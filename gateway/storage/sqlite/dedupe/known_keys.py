"""Which keys were committed before, as a small LSM store.

- The memtable holds the newest keys, in memory only. It needs no write-ahead log: each chunk of the log carries the
  keys of its events, and a start reads again those above the watermark.
- A full memtable becomes the immutable one. It is flushed to the table `seen_current`, a slice with each commit, so
  that no commit is long. The watermark is the position up to which all keys are flushed; it moves with the last slice.
- A key's word decides its bucket. A flush writes one row for each bucket, with all the bucket's keys of this memtable
  and the flush's position as `run`. So what a flush writes does not grow with the table, and nothing is compacted: a
  generation (generations.py) goes as a whole.
- Looking into a bucket is slow beside that, and rare: the Bloom filters, one for each generation, say of nearly every
  new key that it was never added.
"""

import sqlite3
import struct
from collections.abc import Collection, Iterable
from pathlib import Path

import attrs

from gateway.storage.sqlite.connection import sqlite_file
from gateway.storage.sqlite.connection.statements import bulk_insert, select_pairs
from gateway.storage.sqlite.dedupe import filter_file
from gateway.storage.sqlite.dedupe.bloom_filter import MIN_BYTES, BloomFilter, empty
from gateway.storage.sqlite.dedupe.filter_file import FilterSave, SavedFilters
from gateway.storage.sqlite.dedupe.migrate_v2 import migrate_v2
from gateway.storage.sqlite.log.chunks import KEY_BYTES, keys_of

# The bucket is bits 50 to 63 of the word.
BUCKET_SHIFT = 50
BUCKETS = 1 << (64 - BUCKET_SHIFT)
BUCKET_MASK = BUCKETS - 1
# A larger slice has a multiple of so many rows: the prepared statements of all numbers of rows take 9 MiB.
ROWS = 32
iter_unpack = struct.Struct("<8xQ").iter_unpack
FIND = (
    "SELECT group_concat(hex(w.key)) FROM wanted w WHERE EXISTS "
    "(SELECT 1 FROM seen_current s WHERE s.bucket = w.bucket AND instr(s.keys, w.key) % 16 = 1) "
    "OR EXISTS (SELECT 1 FROM seen_previous s WHERE s.bucket = w.bucket AND instr(s.keys, w.key) % 16 = 1)"
)
CURRENT = "SELECT keys FROM seen_current"
# A search in each bucket: the table's pages are many, and few of its rows are that new.
CURRENT_AFTER = (
    "WITH RECURSIVE buckets (bucket) AS (SELECT 0 UNION ALL SELECT bucket + 1 FROM buckets WHERE bucket + 1 < ?) "
    "SELECT keys FROM buckets CROSS JOIN seen_current USING (bucket) WHERE run > ?"
)
PREVIOUS = "SELECT keys FROM seen_previous"
ABOVE = "SELECT keys, last <= ? FROM log WHERE last > ? ORDER BY last"


def _empty_table() -> list[bytearray]:
    return [bytearray() for _ in range(BUCKETS)]


@attrs.define
class KnownKeys:
    """The keys of the log. Not safe for two threads at a time.

    `max_memtable_keys` start a flush; while it runs, the new memtable may grow as large again. Each commit flushes a
    hundredth of that number, and at least twice as many keys as it adds, so that a flush always ends before the next
    one is due. A flush starts early if the keys up to the position `flush_up_to` are not flushed yet.

    A filter has `filter_bytes` at first. The filters are to be saved whenever `save_every` keys are in no file (see
    filter_file.py), and at a clean stop if it is half as many: fewer are read again in less time than a file takes.

    `memtable` and `immutable` are lists of buckets, each the bucket's keys one after the other.
    """

    max_memtable_keys: int = 200_000
    filter_bytes: int = MIN_BYTES
    save_every: int = 1_000_000
    memtable: list[bytearray] = attrs.field(factory=_empty_table, init=False)
    immutable: list[bytearray] = attrs.field(factory=_empty_table, init=False)
    memtable_count: int = attrs.field(default=0, init=False)
    flush_up_to: int = attrs.field(default=0, init=False)
    current: BloomFilter = attrs.field(
        default=attrs.Factory(lambda self: self._new_filter(), takes_self=True), init=False
    )
    previous: BloomFilter | None = attrs.field(default=None, init=False)
    _last_find: tuple[list[bytes], list[int]] = attrs.field(factory=lambda: ([], []), init=False)
    _salt: int = attrs.field(default=1, init=False)
    _flushing: list[int] = attrs.field(factory=list, init=False)
    _flushed: int = attrs.field(default=0, init=False)
    _run: int = attrs.field(default=0, init=False)
    _folder: Path = attrs.field(factory=Path, init=False)
    _generation: int = attrs.field(default=0, init=False)
    _saved_at: int = attrs.field(default=0, init=False)
    _tried_at: int = attrs.field(default=0, init=False)

    def load(self, connection: sqlite3.Connection, watermark: int, position: int, folder: Path) -> None:
        """Read the keys above the watermark into the memtable, and those on disk into the filters.

        `position` is where the log ends. What a saved file in the folder has is not read again.
        """
        self._run, self._folder = watermark, folder
        (self._salt,) = connection.execute("SELECT value FROM meta WHERE name = 'salt'").fetchone()
        migrate_v2(connection, lambda key: _bucket(self._words(key)[0]))
        covered, filters = filter_file.trusted(connection, folder, position)
        if filters:
            self.current, self.previous = filters[0], filters[1] if filters[1:] else None
            self._saved_at = self._tried_at = self._count()
            self._fill(self.current, connection.execute(CURRENT_AFTER, (BUCKETS, covered)))
        else:
            self._fill(self.current, connection.execute(CURRENT))
            if connection.execute(PREVIOUS).fetchone():
                self.previous = self._new_filter()
                self._fill(self.previous, connection.execute(PREVIOUS))
        for keys, is_covered in connection.execute(ABOVE, (covered, watermark)):
            above = keys_of(keys)
            self.remember(above, 0)
            self.current.count -= len(above) if is_covered else 0

    @property
    def save_is_due(self) -> bool:
        """Whether so many keys are in no file that the filters are to be saved."""
        return self._count() - self._tried_at >= self.save_every

    def begin_save(self, position: int) -> FilterSave:
        """Between two commits, begin to save the filters; `position` is where the log ends.

        The caller writes them on any thread, beside commits. It then ends the save, again between two commits.
        """
        self._tried_at = self._count()
        filters = [BloomFilter(each.bits, each.count) for each in (self.current, self.previous) if each is not None]
        return FilterSave(self._folder, position, filters, self._generation)

    def end_save(self, connection: sqlite3.Connection, save: FilterSave) -> None:
        """Make the database name the file that was written, and remove the one before. Raises sqlite3.Error."""
        if save.saved is not None and save.generation == self._generation:
            with sqlite_file.transaction(connection):
                save.saved.name(connection)
            self._saved_at = sum(count for count, _ in save.saved.filters)
        filter_file.sweep(self._folder, SavedFilters.named(connection))

    def save(self, connection: sqlite3.Connection, position: int) -> None:
        """At a clean stop, save the filters if that saves time at the next start. Raises OSError, sqlite3.Error."""
        if self._count() - self._saved_at >= self.save_every // 2:
            save = self.begin_save(position)
            save.write()
            self.end_save(connection, save)

    def find(self, connection: sqlite3.Connection, keys: Iterable[bytes]) -> set[bytes]:
        """Return which of the keys were committed before. Raises ValueError on a key that is not 16 bytes long.

        One statement looks up all keys that the filters do not exclude and the memtables do not have.
        """
        wanted = list(keys)
        words = self._words(b"".join(wanted))
        if len(words) != len(wanted):
            raise ValueError(f"a key has another size than {KEY_BYTES} bytes")
        self._last_find = wanted, words
        # The keys stay in the filter even if the commit fails: all that a wrong "maybe" costs is a look-up.
        maybe = set(self.current.add(words))
        if self.previous is not None:
            maybe.update(self.previous.may_contain(words))
        known: set[bytes] = set()
        unknown: list[tuple[int, bytes]] = []
        for word, key in zip(words, wanted, strict=True) if maybe else ():
            if word not in maybe:
                continue
            bucket = _bucket(word)
            if _holds(self.memtable[bucket], key) or _holds(self.immutable[bucket], key):
                known.add(key)
            else:
                unknown.append((bucket, key))
        for found in select_pairs(connection, FIND, unknown):
            known.update(map(bytes.fromhex, found.split(",")))
        return known

    def flush(self, connection: sqlite3.Connection, position: int, adding: int) -> int:
        """Inside the open transaction, write the next slice; return its number of buckets, for `remember`.

        `position` is the last one committed so far, `adding` how many keys this commit adds. With the last slice the
        watermark moves, in the same transaction.
        """
        if not self._flushing and not self._freeze(position):
            return 0
        goal = KEY_BYTES * max(1, self.max_memtable_keys // 100, 2 * adding)
        end = self._flushed
        flat: list[object] = []
        while end < len(self._flushing) and (goal > 0 or _is_odd(end - self._flushed)):
            bucket = self._flushing[end]
            flat += (bucket, self._run, self.immutable[bucket])
            goal -= len(self.immutable[bucket])
            end += 1
        # A flush that a kill cut short is done again from its first slice, with the same run or a later one.
        even = 3 * ((end - self._flushed) // ROWS * ROWS)
        for part in (flat[:even], flat[even:]):
            bulk_insert(connection, "INSERT OR REPLACE INTO seen_current ", 3, part, chunk=8 * ROWS)
        if end == len(self._flushing):
            connection.execute("UPDATE meta SET value = ? WHERE name = 'watermark'", (self._run,))
        return end - self._flushed

    def remember(self, keys: Collection[bytes], flushed: int) -> None:
        """After the commit: add its keys to the memtable, and count `flushed` buckets as done.

        Never before the commit: if it failed, the retry of its events would look like a duplicate, and they were lost.
        """
        found, words = self._last_find
        if len(found) != len(keys):  # mostly every key of the last `find` was new, and its words can be used again
            found = list(keys)
            words = self._words(b"".join(found))
            self.current.add(words)
        memtable = self.memtable
        for word, key in zip(words, found, strict=True):
            memtable[word >> BUCKET_SHIFT & BUCKET_MASK] += key
        self.memtable_count += len(found)
        self._last_find = [], []
        self._flushed += flushed
        if flushed and self._flushed == len(self._flushing):
            self.immutable, self._flushing, self._flushed = _empty_table(), [], 0

    def rotate(self) -> None:
        """After a committed rotation: the current filter becomes the previous one, and a new one gets memory's keys."""
        self.previous, self.current = self.current, self._new_filter()
        for bucket in (*self.memtable, *self.immutable):
            self.current.add(self._words(bucket))
        # The rotation has made the database forget the file, and a save that has begun is in vain.
        self._generation += 1
        self._saved_at = self._tried_at = 0

    def _new_filter(self) -> BloomFilter:
        return BloomFilter(empty(self.filter_bytes))

    def _count(self) -> int:
        return self.current.count + (0 if self.previous is None else self.previous.count)

    def _fill(self, target: BloomFilter, rows: sqlite3.Cursor) -> None:
        while page := rows.fetchmany(1000):
            target.add(self._words(b"".join([keys for (keys,) in page])))

    def _words(self, keys: bytes | bytearray) -> list[int]:
        # Multiplied by a secret of this file. Otherwise a client could choose ids that all fall into one bucket.
        salt = self._salt
        return [word * salt for (word,) in iter_unpack(keys)]

    def _freeze(self, position: int) -> bool:
        """Make the memtable the immutable one if a flush is due; return whether it was."""
        # Many events without keys are a reason too: otherwise a start would read all of a log that has none. And events
        # are deleted only below the watermark.
        small = self.memtable_count < self.max_memtable_keys and position - self._run < 4 * self.max_memtable_keys
        if small and self.flush_up_to <= self._run:
            return False
        self.immutable, self.memtable, self.memtable_count = self.memtable, _empty_table(), 0
        self._flushing = [bucket for bucket, keys in enumerate(self.immutable) if keys]
        self._flushed, self._run = 0, position
        return True


def _bucket(word: int) -> int:
    return word >> BUCKET_SHIFT & BUCKET_MASK


def _is_odd(rows: int) -> bool:
    return rows > ROWS and rows % ROWS != 0


def _holds(bucket: bytearray, key: bytes) -> bool:
    at = bucket.find(key)
    return at >= 0 and at % KEY_BYTES == 0
