"""A store as its URL names it: all that an engine gives a gateway and its commands. No engine here."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import attrs

from gateway.datadir import DataDir
from gateway.keys.admin import Admin
from gateway.keys.keyring import Keyring
from gateway.keys.store import KeyStore
from gateway.records.use_log import UseLog
from gateway.storage.contract import SubmittingStorage
from gateway.storage.erasing.eraser import Eraser
from gateway.storage.erasing.step import ErasingStorage
from gateway.storage.group_commit import OnCommit, unobserved
from gateway.storage.info import DiskUse, StoreInfo
from gateway.storage.moving import MoveSource, MoveTarget
from gateway.storage.read import LogReader
from gateway.storage.records import Records
from gateway.storage.rejected_log import RejectedRequestLog

MOST_BACKUPS = 1000
"""How many backups a store remembers: the last ones."""


def unbounded(_project: str) -> int:
    """Return a size that no quarantine reaches."""
    return 1 << 62


@attrs.frozen(kw_only=True)
class StoreSettings:
    """The settings of a store; all times are in seconds. The defaults are those of commands, which forget nothing.

    `queue_bytes` bounds the entries that wait for a commit. Keys and idempotency records are remembered for at least
    `window`. Events of a project are deleted after `keep_events_of` it, by default after `keep_events`; 0 keeps them
    for ever. Requests of stored events are deleted after `keep_raw`, 0 keeps none. `quarantine_bytes` gives the size
    that the quarantine of a project may have. `compress` makes new parts of SQLite's log compressed. Rejected requests
    take `rejected_bytes` for `rejected_window`. `on_commit` is called after each commit.
    """

    queue_bytes: int = 64 << 20
    window: float = 100 * 365 * 86_400.0
    keep_events: float = 0.0
    keep_events_of: Callable[[str], float] = attrs.field(
        default=attrs.Factory(lambda settings: lambda _project: settings.keep_events, takes_self=True), eq=False
    )
    keep_raw: float = 100 * 365 * 86_400.0
    quarantine_bytes: Callable[[str], int] = unbounded
    compress: bool = False
    rejected_bytes: int = 64 << 20
    rejected_window: float = 7 * 86_400.0
    on_commit: OnCommit = unobserved


@attrs.frozen(kw_only=True)
class Backup:
    """A backup of a store: its file, as an absolute path, and when it was begun, in milliseconds since the epoch.

    `events` is how many it has; None if it is being made, or was broken off by a kill.
    """

    name: str
    made_at: int
    events: int | None = None


class Store(Protocol):
    """One store. Nothing is opened before a method is called, and each call opens something of its own.

    Every method may raise StoreError, in one line that a person understands.
    """

    @property
    def name(self) -> str:
        """How messages name it: a directory, or a URL without its password."""
        ...

    @property
    def engine(self) -> str:
        """Its engine and that one's version, as far as it is known: `SQLite 3.46.1`."""
        ...

    @property
    def directory(self) -> DataDir | None:
        """The data directory of an engine that has one: its lock is taken by the one process that writes.

        None if any number of processes may write, each by its own `storage`.
        """
        ...

    async def prepare(self) -> None:
        """Create what is missing, and upgrade what an older gateway left, once, before a server serves.

        The caller holds the lock of `directory`. Any number of gateways may call this at the same time.
        """
        ...

    def storage(self, settings: StoreSettings) -> AbstractAsyncContextManager[SubmittingStorage]:
        """Open the writer; at the end of the block what was accepted is committed."""
        ...

    async def renew(self, settings: StoreSettings) -> None:
        """Have what `storage` opened follow other settings from now on, but for `queue_bytes` and `compress`.

        Nothing happens where it is not open.
        """
        ...

    def rejected_log(self, settings: StoreSettings) -> RejectedRequestLog:
        """Return what collects rejected requests; it writes while its `running` lasts."""
        ...

    def use_log(self) -> UseLog:
        """Return what counts the uses of credentials; it writes while its `running` lasts."""
        ...

    def log(self) -> AbstractAsyncContextManager[LogReader]:
        """Open a reader of the log."""
        ...

    def records(self) -> AbstractAsyncContextManager[Records]:
        """Open a reader of all else."""
        ...

    def keys(self, *, make: bool = False) -> AbstractAsyncContextManager[KeyStore]:
        """Open the credentials; with `make`, create the place for them if it is missing."""
        ...

    async def watch_keys(self, on_change: Callable[[Keyring, Admin], None]) -> None:
        """Call `on_change` with the credentials and the admin token, now and after each change, until cancelled."""
        ...

    async def info(self) -> StoreInfo:
        """Return what the engine knows of the store beside its contents."""
        ...

    async def disk_use(self) -> DiskUse:
        """Return what the store takes of its disk: fast enough to be asked every few seconds. No writer waits."""
        ...

    async def compact(self) -> tuple[int, int]:
        """Make the store's file as small as it can be, and return its size before and after, in bytes.

        No gateway may run. Raises StoreError for an engine that does so by itself, too.
        """
        ...

    def eraser(self, writer: ErasingStorage | None = None) -> AbstractAsyncContextManager[Eraser]:
        """Open the store to erase persons from it.

        `writer` is what `joined` (workers/open_log.py) gave, where the store has a directory; without it, nothing can
        be changed there (`dry_run`). A store that any process writes to needs none.
        """
        ...

    def move_source(self) -> AbstractAsyncContextManager[MoveSource]:
        """Open the store to be read whole: to be moved into another one, or checked."""
        ...

    def move_target(self) -> AbstractAsyncContextManager[MoveTarget]:
        """Open the store to be filled from another one; it is made if it is missing."""
        ...

    async def backups(self) -> list[Backup]:
        """Return the backups that were made of it, oldest first: whoever erases something names those that have it.

        A backup is listed before anything is read for it.
        """
        ...

    async def add_backup(self, backup: Backup) -> None:
        """Remember a backup, in the place of one with the same name and time."""
        ...

    async def remove_backup(self, backup: Backup) -> None:
        """Forget a backup that came to nothing."""
        ...
