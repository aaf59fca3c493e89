"""Writing the quarantine: a row for each request, the keys of its items, and the size of each project's.

A key is kept as eight bytes, a hash under a secret of this file: a tree of numbers is half as large as one of whole
keys. That two of a million keys have one hash has a chance of 1 to 30 million, and nobody can choose ids for it.
"""

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

import attrs

from gateway.storage.plan import Plan, QuarantinedRequest
from gateway.storage.quarantine_hash import HASH_BYTES, NO_HASH, as_number, key_hash
from gateway.storage.quarantined_items import decode_items
from gateway.storage.sqlite.connection.sqlite_file import overwriting
from gateway.storage.sqlite.connection.statements import bulk_insert, select_in
from gateway.storage.sqlite.migrate_v5 import migrate_v5

SizeChanges = Counter[str]
"""By how many bytes the quarantine of a project grows or shrinks."""

LAST = (
    "SELECT max((SELECT coalesce(max(last), 0) FROM quarantined_requests), (SELECT coalesce(max(id), 0) FROM settled))"
)
FIND = "SELECT id, last, project, size, items, keys FROM quarantined_requests WHERE id <= ?1 ORDER BY id DESC LIMIT 1"
ENDED = "SELECT 1 FROM settled WHERE id = ?"
KEYS = "SELECT group_concat(hash) FROM quarantined_keys WHERE hash IN (?)"
INSERT = (
    "INSERT INTO quarantined_requests (id, last, remaining, size, received_at, project, dialect, route, receipt, "
    "body_size, sha256, items, keys, request) "
)
ADD_TO_SIZE = " ON CONFLICT (project) DO UPDATE SET bytes = bytes + excluded.bytes"
AGAIN = 0.9  # the part of its bound below which a quarantine must shrink before it is logged again that it is full
log = logging.getLogger(__name__)


def unbounded(_project: str) -> int:
    """Return a size that no quarantine reaches."""
    return 1 << 62


@attrs.frozen
class _Row:
    """What must be known of a row to end its items: `verdicts` and `keys` (hashes) by the number of the item."""

    first: int
    last: int
    project: str
    size: int
    verdicts: dict[int, str]
    keys: dict[int, bytes]


@attrs.define
class Quarantine:
    """The part of the log's writer that keeps items aside. Not safe for two threads at a time.

    `last` is the last number given. `sizes` are the bytes of each project's quarantine, `full` the projects of which
    was said that it is full.
    """

    bound: Callable[[str], int]
    last: int
    sizes: Counter[str]
    full: set[str]
    _secret: bytes
    _row: _Row | None = None

    @classmethod
    def load(cls, connection: sqlite3.Connection, bound: Callable[[str], int]) -> "Quarantine":
        """Read what must be in memory, after the items of an older file are moved."""
        (secret,) = connection.execute("SELECT value FROM meta WHERE name = 'quarantine_secret'").fetchone()
        migrate_v5(connection, lambda key: key_hash(secret, key))
        (last,) = connection.execute(LAST).fetchone()
        sizes = Counter(dict(connection.execute("SELECT project, bytes FROM quarantine_sizes")))
        return cls(bound, last, sizes, full=set(), secret=secret)

    def room(self, projects: Iterable[str]) -> dict[str, int]:
        """Return how many bytes the quarantine of each project may still grow by."""
        return {project: self.bound(project) - self.sizes[project] for project in projects}

    def known(self, connection: sqlite3.Connection, keys: Collection[bytes]) -> set[bytes]:
        """Return which of the dedupe keys an item in quarantine has."""
        by_hash = {as_number(key_hash(self._secret, key)): key for key in keys}
        return {
            by_hash[int(number)]
            for found in select_in(connection, KEYS, list(by_hash))
            for number in str(found).split(",")
        }

    def pending(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, str]:
        """Return the verdicts of those of the items that are still in quarantine."""
        verdicts: dict[int, str] = {}
        for number in numbers:
            row = self._find(connection, number)
            verdict = None if row is None else row.verdicts.get(number)
            if verdict is not None and not connection.execute(ENDED, (number,)).fetchone():
                verdicts[number] = verdict
        return verdicts

    def write(self, connection: sqlite3.Connection, plan: Plan) -> SizeChanges:
        """Inside the open transaction, write the plan's new items, and take out those that it settles."""
        changes = Counter(plan.quarantined_bytes)
        flat: list[object] = []
        hashes: list[int] = []
        for request in plan.quarantine:
            keys = [NO_HASH if key is None else key_hash(self._secret, key) for key in request.keys]
            hashes += [as_number(key) for key in keys if key != NO_HASH]
            flat += _values(request, keys)
        bulk_insert(connection, INSERT, 14, flat, chunk=8)
        bulk_insert(connection, "INSERT OR IGNORE INTO quarantined_keys ", 1, sorted(hashes))
        if plan.settled:
            with overwriting(connection):
                for number in plan.settled:
                    self._take_out(connection, number, changes)
        sizes = [value for project, change in changes.items() if change for value in (project, change)]
        bulk_insert(connection, "INSERT INTO quarantine_sizes ", 2, sizes, ADD_TO_SIZE)
        return changes

    def committed(self, plan: Plan, changes: SizeChanges) -> None:
        """After the commit: remember the numbers and sizes, and say once of a project that its quarantine is full."""
        self.last = plan.quarantine_id
        for project, change in changes.items():
            self.sizes[project] += change
            if change < 0 and self.sizes[project] < AGAIN * self.bound(project):
                self.full.discard(project)
        for request in plan.quarantine:
            if request.sha256 is not None and request.project not in self.full:
                self.full.add(request.project)
                log.warning(
                    "the quarantine of project %s is full (%d MB): of further items only fault, size and digest are "
                    "kept; replay or drop some, or raise quarantine_megabytes",
                    request.project,
                    self.bound(request.project) >> 20,
                )

    def erased(self, project: str, growth: int) -> None:
        """After an erasure changed rows: forget the row that was read last."""
        self._row = None
        self.sizes[project] += growth

    def _take_out(self, connection: sqlite3.Connection, number: int, changes: SizeChanges) -> None:
        row = self._find(connection, number)
        assert row is not None, "only items that are pending are settled"
        if number in row.keys:
            connection.execute("DELETE FROM quarantined_keys WHERE hash = ?", (as_number(row.keys[number]),))
        connection.execute("UPDATE quarantined_requests SET remaining = remaining - 1 WHERE id = ?", (row.first,))
        gone = connection.execute("DELETE FROM quarantined_requests WHERE id = ? AND remaining <= 0", (row.first,))
        if gone.rowcount:
            changes[row.project] -= row.size

    def _find(self, connection: sqlite3.Connection, number: int) -> _Row | None:
        """Return the row that an item is in, or would be in. The last one is remembered: its items never change."""
        if self._row is None or not self._row.first <= number <= self._row.last:
            found = connection.execute(FIND, (number,)).fetchone()
            if found is None or found[1] < number:
                return None
            first, last, project, size, items, keys = found
            numbers = [(item.number, item.verdict) for item in decode_items(items, first)]
            hashes = [keys[at : at + HASH_BYTES] for at in range(0, len(keys or b""), HASH_BYTES)]
            self._row = _Row(
                first=first,
                last=last,
                project=project,
                size=size,
                verdicts=dict(numbers),
                keys={number: key for (number, _), key in zip(numbers, hashes, strict=False) if key != NO_HASH},
            )
        return self._row


def _values(request: QuarantinedRequest, keys: list[bytes]) -> tuple[object, ...]:
    """Return the values of INSERT."""
    count = len(keys)
    return (
        *(request.first, request.first + count - 1, count, request.size, request.received_at),
        *(request.project, request.dialect, request.route, request.receipt, request.body_size, request.sha256),
        *(request.items, b"".join(keys) if any(key != NO_HASH for key in keys) else None, request.request),
    )
