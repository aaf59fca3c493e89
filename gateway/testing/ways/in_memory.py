"""Sends cases without any IO: a handler over a storage in memory, one for all cases with the same settings."""

import asyncio
import json
import logging
from collections.abc import Callable

import attrs

from gateway.dialect import Dialect
from gateway.ingest.handler import IngestHandler
from gateway.testing.bugs import Bug
from gateway.testing.corpus.case import Case, Corpus
from gateway.testing.gate import counted_ids, exchanged, handler_of
from gateway.testing.logged import logged
from gateway.testing.memory import MemoryStorage
from gateway.testing.ways.outcome import Outcome


class CaseIds:
    """The ids that a gateway makes: 00000000-0000-7000-8000-000000000001 and so on, from the start for each case."""

    def __init__(self) -> None:
        self._next: Callable[[int], str] = counted_ids()

    def restart(self) -> None:
        """Begin with the first id again."""
        self._next = counted_ids()

    def __call__(self, now: int) -> str:
        """Return the next id."""
        return self._next(now)


@attrs.frozen
class Sent:
    """What came of a case, and the keys by which the gateway knows its items and its requests again.

    `bugs` are the exceptions behind answers of 500, a line for each.
    """

    outcome: Outcome
    keys: frozenset[bytes]
    bugs: tuple[str, ...] = ()


@attrs.define
class InMemory:
    """Gateways of one dialect, to which its cases are sent one after the other."""

    dialect: Dialect
    corpus: Corpus
    _ids: CaseIds = attrs.field(factory=CaseIds)
    _storage: MemoryStorage = attrs.field(factory=MemoryStorage)
    _handlers: dict[frozenset[str], IngestHandler] = attrs.field(factory=dict)
    _sent: dict[str, Sent] = attrs.field(factory=dict)

    def send(self, case: Case) -> Sent:
        """Send the requests of a case to a gateway that has stored nothing; what came of it is kept."""
        if case.name not in self._sent:
            self._sent[case.name] = asyncio.run(self._send(case))
        return self._sent[case.name]

    async def _send(self, case: Case) -> Sent:
        self._storage.forget()
        self._ids.restart()
        handler = self._handler(case)
        with logged(logging.ERROR) as log:
            answers = [await exchanged(handler, request) for request in case.requests]
        items = [
            {"faults": json.loads(item.faults), "payload": json.loads(item.payload)}
            for item in self._storage.quarantined
        ]
        outcome = Outcome(answers, [json.loads(body) for body in self._storage.bodies], items)
        return Sent(
            outcome, self._storage.keys, tuple([f"the dialect raised {Bug.of(each).text}" for each in log.errors])
        )

    def _handler(self, case: Case) -> IngestHandler:
        """Return a handler with a case's settings: a new one where it counts the requests of this case."""
        if case.limit is not None:
            return self._new(case)
        if case.switches not in self._handlers:
            self._handlers[case.switches] = self._new(case)
        return self._handlers[case.switches]

    def _new(self, case: Case) -> IngestHandler:
        return handler_of(
            self.dialect,
            self.corpus.credentials,
            self._storage,
            switches=case.switches,
            limit=case.limit,
            new_id=self._ids,
        )
