"""A Storage in memory, for tests of everything above storage: it keeps every promise but the disk's."""

from collections import Counter

import attrs

from gateway.outcome import StorageUnavailable
from gateway.storage.base import Appended, Blob, Entry, Held, Standing
from gateway.storage.plan import decide


@attrs.define
class RecordingStorage:
    """`bodies`, `held`, `blobs` and `counts` are what was appended; `failure`, when set, is raised instead."""

    bodies: list[bytes] = attrs.field(factory=list)
    held: list[Held] = attrs.field(factory=list)
    blobs: list[Blob] = attrs.field(factory=list)
    counts: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)
    entries: list[Entry] = attrs.field(factory=list)
    failure: StorageUnavailable | None = None
    closed: bool = False
    _keys: set[bytes] = attrs.field(factory=set)
    _claims: dict[bytes, tuple[bytes, bytes]] = attrs.field(factory=dict)

    async def append(self, entry: Entry) -> Appended:
        if self.closed:
            raise StorageUnavailable("the gateway is stopping")
        if self.failure is not None:
            raise self.failure
        plan = decide([entry], len(self.bodies), self._keys, self._claims)
        self.entries.append(entry)
        self.bodies += [str(body).encode() for body in plan.events[2::3]]
        if plan.answers[0].standing is Standing.FRESH:
            self.held += entry.held
            self.blobs += entry.blobs
        self.counts += plan.counts
        self._keys |= plan.keys
        self._claims |= plan.claims
        return plan.answers[0]

    @property
    def healthy(self) -> bool:
        return self.failure is None and not self.closed

    async def close(self) -> None:
        self.closed = True
