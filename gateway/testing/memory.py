"""A Storage in memory, for checks of everything above storage: it keeps every promise except durability."""

import asyncio
from collections import Counter

import attrs

from gateway.dialect.outcome import StorageUnavailable
from gateway.storage.contract import Appended, AppendStatus, Blob, Entry, QuarantinedItem, Queue
from gateway.storage.decide import decide
from gateway.storage.plan import Claim, Snapshot


@attrs.define
class MemoryStorage:
    """`bodies`, `quarantined`, `blobs` and `counts` are what was appended; `failure`, when set, is raised instead."""

    bodies: list[bytes] = attrs.field(factory=list)
    quarantined: list[QuarantinedItem] = attrs.field(factory=list)
    blobs: list[Blob] = attrs.field(factory=list)
    counts: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)
    entries: list[Entry] = attrs.field(factory=list)
    failure: StorageUnavailable | None = None
    closed: bool = False
    _keys: set[bytes] = attrs.field(factory=set)
    _claims: dict[bytes, Claim] = attrs.field(factory=dict)
    _quarantined_keys: set[bytes] = attrs.field(factory=set)
    _receipt: int = 0

    def forget(self) -> None:
        """Become as empty as at first."""
        self.bodies, self.quarantined, self.blobs, self.entries = [], [], [], []
        self.counts, self._keys, self._claims, self._quarantined_keys = Counter(), set(), {}, set()
        self._receipt = 0

    async def append(self, entry: Entry) -> Appended:
        """See Storage."""
        return await self.submit(entry)

    def submit(self, entry: Entry) -> asyncio.Future[Appended]:
        """See SubmittingStorage."""
        if self.closed:
            raise StorageUnavailable("the gateway is stopping")
        if self.failure is not None:
            raise self.failure
        before = Snapshot(
            position=len(self.bodies),
            receipt=self._receipt,
            quarantine_id=len(self.quarantined),
            seen=self._keys,
            claims=self._claims,
            quarantined=self._quarantined_keys,
        )
        plan = decide([entry], before, random_bits=lambda: 0)
        self.entries.append(entry)
        self.bodies += [row.body.decode().encode() for row in plan.events]
        [appended] = plan.answers
        if appended.status is AppendStatus.NEW and not entry.trial:
            self.quarantined += [item for item in entry.quarantined if item.index not in appended.duplicates]
            self.blobs += entry.blobs
        self.counts += plan.totals()
        self._keys |= plan.keys
        self._claims |= plan.claims
        self._quarantined_keys |= plan.quarantined_keys
        self._receipt = plan.receipt
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        answer.set_result(appended)
        return answer

    @property
    def keys(self) -> frozenset[bytes]:
        """Return all by which a later request or item would be known again."""
        return frozenset(self._keys | self._claims.keys() | self._quarantined_keys)

    @property
    def healthy(self) -> bool:
        """See Storage."""
        return self.failure is None and not self.closed

    @property
    def queue(self) -> Queue:
        """See Storage."""
        return Queue(0, 1)

    async def close(self) -> None:
        """Take nothing more."""
        self.closed = True
