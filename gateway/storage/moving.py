"""What moving a store into another one needs of both: values, MoveSource and MoveTarget. No engine here.

The log is moved in batches, in its order. Each batch is committed in the target together with the progress of the move,
so that a move that was killed goes on where it was. All else is moved as the rows of TABLES.
"""

import datetime
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import attrs

from gateway.dialect.value_class import value_class
from gateway.storage.read import LogReader

Place = tuple[int, int]
"""A position of PostgreSQL's, `(transaction, number)`."""
Cursor = list[int]
"""Up to where the log is moved, in the source's own terms. JSON can hold it as it is."""
Row = tuple[Any, ...]

TABLES: Mapping[str, tuple[str, ...]] = {
    "keys": ("project", "key"),
    "claims": ("project", "digest", "fingerprint", "outcomes", "receipt"),
    "credentials": (
        *("id", "project", "dialect", "kind", "hint", "scopes", "origins"),
        *("created_at", "revoked_at", "expires_at", "hash", "label", "rotated"),
    ),
    "secrets": ("name", "value"),
    "counters": ("project", "dialect", "verdict", "count"),
    "counter_buckets": ("span", "start", "project", "dialect", "verdict", "count"),
    "quarantine": (
        *("project", "id", "last", "remaining", "size", "received_at", "dialect", "route"),
        *("receipt", "body_size", "sha256", "items", "keys", "request"),
    ),
    "settled": ("project", "id", "verdict", "position", "at"),
    "rejected": (
        *("id", "received_at", "project", "dialect", "route", "reason", "status", "faults", "method", "path", "query"),
        *("headers", "body", "client_ip", "site", "cut", "size", "known", "replayed"),
        *("credential_id", "origin", "request_id"),
    ),
    "rejected_counts": ("project", "dialect", "count"),
    "rejected_buckets": ("span", "start", "project", "dialect", "count"),
    "credential_uses": ("project", "credential", "day", "requests", "rejected", "last_used"),
    "backups": ("name", "made_at", "events"),
    "erasures": ("project", "kind", "hash", "at"),
    "erased_messages": ("project", "hash"),
    "facts": ("name", "value"),
}
"""All tables beside the log, with their columns. Times are in milliseconds since the epoch.

- `project` of a key, a claim and a settled item is empty where the source does not know it.
- `keys` of the quarantine is a list with a dedupe key for each item in the order of their numbers, None for one that
  has none or is settled; a key is 16 bytes, or 8 bytes: a hash under the secret in `facts` (see quarantine_hash.py).
- `position` is the source's: an integer or `XID-N`, or None.
- `scopes` and `origins` are lists of texts.
- `facts` are `quarantine_secret` (bytes), `last_number` (the last id of a quarantined item), `counted_since`, and
  `erasure_secret` (bytes), under which the hashes of `erasures` and `erased_messages` are made (see erasing.py).
"""
GROWING = ("keys", "claims")
"""Tables that are long, and get more rows while the source serves: what is added later is moved at the end."""


@value_class
class MovedReceipt:
    """A receipt. Its `count` events are at `position` or `place` and after it, unless `items` lists them.

    The position is the one in the source; of both kinds one may be None. In `items` (see outcomes_json.py) the position
    of an event is the distance from there. `raw` is the compressed request of its events, if it is kept.
    """

    id: int
    project: str
    dialect: str
    route: str
    received_at: int
    count: int
    position: int | None = None
    place: Place | None = None
    items: bytes | None = None
    raw: bytes | None = None


@attrs.frozen(kw_only=True)
class LogBatch:
    """Some events in the log's order, and the receipts of the same transactions.

    `lines`, `positions`, `places`, `days` and `keys` have one value for each event: its JSON; its position as SQLite
    gives it, or None; its position as PostgreSQL gives it, or None; the day of its receipt; its project and dedupe key,
    if that is not among the rows of the table `keys`. A transaction is never in two batches. `cursor` is what to go on
    with. `gone` are positions of events that were removed one by one, where the source knows them.
    """

    cursor: Cursor
    lines: Sequence[bytes] = ()
    positions: Sequence[int | None] = ()
    places: Sequence[Place | None] = ()
    days: Sequence[datetime.date] = ()
    keys: Sequence[tuple[str, bytes] | None] = ()
    receipts: Sequence[MovedReceipt] = ()
    gone: Sequence[int] = ()


def unfinished(progress: Mapping[str, Any], into: object) -> str | None:
    """Return what is to be done about a store that is not filled yet, by its progress; None if it is.

    `again` and `doing` of the progress are the command that goes on, and what it does; a move has none.
    """
    if progress["finished"]:
        return None
    doing, again = progress.get("doing", "move"), progress.get("again", "gateway storage move")
    return f"a {doing} from {progress['name']} into {into} is not finished; run `{again}` again to its end"


class MoveSource(Protocol):
    """The store that is moved. Nothing is written into it. Raises StoreError."""

    @property
    def name(self) -> str:
        """How messages name it."""
        ...

    @property
    def reader(self) -> LogReader:
        """A reader of its log."""
        ...

    async def identity(self) -> str:
        """Return an id that no other store has."""
        ...

    async def end(self) -> Cursor:
        """Return the end of the log: all that is before it is committed, and nothing more will be."""
        ...

    def log(self, after: Cursor, until: Cursor, mark: Cursor) -> AsyncIterator[LogBatch]:
        """Yield what is in the log after one cursor and up to another; an empty cursor is the beginning.

        `mark` is where the log ended before the rows of GROWING tables were first asked for: keys of later events are
        in the batches.
        """
        ...

    def rows(self, table: str, since: Cursor | None = None) -> AsyncIterator[list[Row]]:
        """Yield the rows of a table, some thousand at a time; of GROWING tables those since an end of the log."""
        ...

    def damage(self) -> AsyncIterator[str]:
        """Yield what the engine itself finds wrong, one line each."""
        ...

    async def blob(self, project: str, name: str) -> bytes | None:
        """Return a file that came with an event; None if there is none."""
        ...

    async def mark(self) -> Cursor:
        """Return what to ask `rows` and `log` with later, for what is added from now on."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Cursor]:
        """Let the block read one moment of the store: yield the end of the log at it.

        `log` up to there and `rows` then see what was committed at that moment, and nothing later. Tables in files of
        their own (rejected requests, credentials) have a moment of their own. The block should be short.
        """
        ...

    async def is_served(self) -> bool:
        """Return whether a gateway runs on it."""
        ...

    def exclusive(self) -> AbstractAsyncContextManager[None]:
        """Wait until no gateway runs on it, and let none start during the block."""
        ...


class MoveTarget(Protocol):
    """The store that a source is moved into. Raises StoreError."""

    @property
    def name(self) -> str:
        """How messages name it."""
        ...

    @property
    def reader(self) -> LogReader:
        """A reader of its log."""
        ...

    async def begin(self, progress: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a move with this progress, or return the progress of the one that was begun before.

        Raises StoreError if the store holds anything that is not of a move.
        """
        ...

    async def save(self, progress: Mapping[str, Any]) -> None:
        """Keep the progress. Once it is `finished`, gateways may start on the store."""
        ...

    async def append(self, batch: LogBatch, progress: Mapping[str, Any]) -> None:
        """Write a batch and the progress in one transaction."""
        ...

    async def keep_blob(self, project: str, name: str, content: bytes) -> None:
        """Keep a file; one that exists stays."""
        ...

    async def clear(self, table: str) -> None:
        """Delete all rows of a table."""
        ...

    async def add(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows to a table; of keys and claims those that are not there yet."""
        ...

    async def complete(self) -> None:
        """After the last rows: work out what follows from them, such as sizes and the next numbers."""
        ...

    async def count(self, table: str) -> int:
        """Return how many rows a table has; `receipts` too."""
        ...
