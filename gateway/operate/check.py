"""Reads all of a store, and finds what cannot be read or does not fit together."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import attrs
import orjson

from gateway.operate.counters import ERASED
from gateway.records.raw_request import decompress
from gateway.storage.moving import TABLES, LogBatch, MovedReceipt, MoveSource
from gateway.storage.outcomes_json import decode_outcomes, decode_receipt
from gateway.storage.quarantined_items import decode_items
from gateway.store_error import StoreError

Name = tuple[str, str]
MOST_MISSING = 1000
"""Receipts of a project and dialect that are told to lack events."""
PARTS = ("stored", "duplicate", "quarantined", "filtered")


@attrs.define
class Check:
    """One check. `count` is told how many events were read so far."""

    source: MoveSource
    count: Callable[[int], object] = lambda _: None
    events: int = attrs.field(default=0, init=False)
    _stored: Counter[Name] = attrs.field(factory=Counter, init=False)
    _missing: dict[Name, "_Missing"] = attrs.field(factory=dict, init=False)

    async def problems(self) -> AsyncIterator[str]:
        """Yield what is wrong, one line each."""
        async for problem in self.source.damage():
            yield problem
        try:
            async for batch in self.source.log([], await self.source.end(), await self.source.mark()):
                for problem in self._of_batch(batch):
                    yield problem
        except StoreError as error:
            yield str(error)
        for table in TABLES:
            try:
                async for problem in self._of_table(table):
                    yield problem
            except StoreError as error:
                yield f"{table}: {error}"

    def _of_batch(self, batch: LogBatch) -> list[str]:
        found: list[str] = []
        is_first = self.events == 0
        there: set[object] = {*batch.positions, *batch.places, *batch.gone}
        for line, position, place in zip(batch.lines, batch.positions, batch.places, strict=True):
            name = f"{place[0]}-{place[1]}" if place is not None else position
            try:
                event = orjson.loads(line)
                self._stored[event["project"], event["dialect"]] += 1
            except (ValueError, TypeError, KeyError) as error:
                found.append(f"event {name} cannot be read: {error!r}")
        for receipt in batch.receipts:
            try:
                missing = _places(receipt) - there
            except Exception as error:  # whatever a damaged value leads to
                found.append(f"receipt {receipt.id:x} cannot be read: {error!r}")
                continue
            # Those before the first event have expired.
            if missing and not is_first:
                missed = self._missing.setdefault((receipt.project, receipt.dialect), _Missing())
                missed.add(f"receipt {receipt.id:x} has {len(missing)} events that are not there", len(missing))
        self.events += len(batch.lines)
        self.count(self.events)
        return found

    async def _of_table(self, table: str) -> AsyncIterator[str]:
        counted: Counter[tuple[str, str, str]] = Counter()
        async for rows in self.source.rows(table):
            for row in rows:
                named = dict(zip(TABLES[table], row, strict=True))
                try:
                    if table == "quarantine":
                        _check_quarantined(named)
                    elif table == "claims":
                        decode_outcomes(named["outcomes"])
                    elif table == "counters":
                        counted[named["project"], named["dialect"], named["verdict"]] += named["count"]
                except Exception as error:  # whatever a damaged value leads to
                    yield f"{table}: {named.get('id', '')} cannot be read: {error!r}"
        if table == "counters":
            for problem in self._of_counters(counted):
                yield problem

    def _of_counters(self, counted: Counter[tuple[str, str, str]]) -> list[str]:
        found: list[str] = []
        for project, dialect in sorted({name[:2] for name in counted} | set(self._stored) | set(self._missing)):
            received = counted[project, dialect, "received"]
            parts = sum([counted[project, dialect, verdict] for verdict in PARTS])
            if received != parts:
                found.append(
                    f"counters of {project}, {dialect}: {received} items received, but {parts} have an outcome"
                )
            stored, there = counted[project, dialect, "stored"], self._stored[project, dialect]
            if stored < there:
                found.append(f"counters of {project}, {dialect}: {stored} events stored, but {there} are there")
            missed = self._missing.get((project, dialect))
            if missed is not None and missed.events > counted[project, dialect, ERASED]:
                found += missed.problems
        return found


@attrs.define
class _Missing:
    """Events of receipts that are not there: a problem if they are more than were erased."""

    events: int = 0
    problems: list[str] = attrs.field(factory=list)

    def add(self, problem: str, events: int) -> None:
        self.events += events
        if len(self.problems) < MOST_MISSING:
            self.problems.append(problem)


def _places(receipt: MovedReceipt) -> set[object]:
    """Return where the events of a receipt are."""
    numbers: Sequence[int] = range(receipt.count)
    if receipt.items is not None:
        stored = receipt.items.decode() if receipt.items.startswith(b"[") else receipt.items
        numbers = [item["position"] for item in decode_receipt(stored) if "position" in item]
    if receipt.place is not None:
        return {(receipt.place[0], receipt.place[1] + number) for number in numbers}
    return {(receipt.position or 0) + number for number in numbers}


def _check_quarantined(row: dict[str, object]) -> None:
    """Raise an error if a request in quarantine cannot be read."""
    items, first, request, keys = row["items"], row["id"], row["request"], row["keys"]
    assert isinstance(items, bytes)
    assert isinstance(first, int)
    # Without its request it has lost items with a person who was erased: there may be gaps.
    numbers = [item.number for item in decode_items(items, first)]
    last = row["last"]
    assert isinstance(last, int)
    is_within = not numbers or first <= numbers[0] <= numbers[-1] <= last
    if not is_within or (request is not None and (numbers[0] != first or numbers[-1] != last)):
        raise ValueError("other items than the row says")
    if isinstance(keys, list) and len(keys) != len(numbers):
        raise ValueError("other keys than items")
    if isinstance(request, bytes):
        decompress(request)
