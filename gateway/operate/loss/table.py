"""What becomes of every place of one dialect's events in another's protocol, found out event by event."""

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from itertools import count
from typing import Any

import attrs

from gateway.ingest.registry import Installed
from gateway.operate.loss.compare import WHOLE, Fate, fates
from gateway.operate.loss.generate import reads
from gateway.operate.loss.reading import Clock, Read, read_back
from gateway.operate.loss.samples import samples_of

FOLDER = "tables"
BACK = Clock("2026-01-02T03:04:07.901Z", message_id="22222222-0000-7000-8000-000000000002")
"""When the other vendor receives what was emitted: later, so that a time of receipt is not taken for the event's."""

Rows = dict[str, dict[Fate, int]]
"""By place what became of it, and the number of the generated request in which that was first seen."""


@attrs.frozen
class Table:
    """What becomes of the events of dialect `source` at dialect `target`; `events` were looked at."""

    source: str
    target: str
    events: int
    rows: Rows

    def as_json(self) -> dict[str, Any]:
        """Return it as it lies in a file."""
        rows = {
            place: [{"what": fate.what, "to": fate.to, "first": first} for fate, first in sorted(of_place.items())]
            for place, of_place in sorted(self.rows.items())
        }
        return {"from": self.source, "to": self.target, "events": self.events, "places": rows}

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> "Table":
        """Return a table of a file."""
        rows = {
            place: {Fate(each["what"], each["to"]): each["first"] for each in of_place}
            for place, of_place in document["places"].items()
        }
        return cls(document["from"], document["to"], document["events"], rows)

    def lines(self) -> list[tuple[str, str]]:
        """Return each place with what becomes of it, in words."""
        return [
            (place, ", ".join(str(fate) for fate in sorted(of_place))) for place, of_place in sorted(self.rows.items())
        ]


class NoEvents(Exception):
    """A dialect of which no event can be generated."""


def shipped(source: str, target: str) -> Table | None:
    """Return the table that comes with the gateway; None if there is none of these two."""
    file = resources.files(__package__).joinpath(FOLDER, f"{source}-{target}.json")
    return Table.of_json(json.loads(file.read_text("utf-8"))) if file.is_file() else None


def generate(source: Installed, target: Installed, events: int) -> Table:
    """Return the table of so many generated events. Raises NoEvents."""
    [table] = generate_all(source, [target], events)
    return table


def generate_all(source: Installed, targets: Sequence[Installed], events: int) -> list[Table]:
    """Return the tables of some targets, made of the same events. Raises NoEvents."""
    samples = samples_of(source)
    tables: list[Rows] = [{} for _ in targets]
    seen = 0
    for number in count():
        if number >= len(samples) and not seen:
            raise NoEvents(f"the dialect {source.dialect.name} has neither samples nor examples to make events from")
        for each in reads(source, samples, number):
            for target, rows in zip(targets, tables, strict=True):
                add(rows, target, each, number)
            seen += 1
            if seen >= events:
                pairs = zip(targets, tables, strict=True)
                return [Table(source.dialect.name, target.dialect.name, events, rows) for target, rows in pairs]
    raise AssertionError("count() does not end")


def of_numbers(source: Installed, target: Installed, numbers: Iterable[int]) -> Rows:
    """Return the rows that the generated requests of some numbers make."""
    samples = samples_of(source)
    rows: Rows = {}
    for number in numbers:
        for each in reads(source, samples, number):
            add(rows, target, each, number)
    return rows


def add(rows: Rows, target: Installed, read: Read, number: int) -> None:
    """Add what becomes of an event to the rows of a table."""
    assert read.event is not None, "it became one"
    assert target.dialect.emit is not None, "the caller has looked"
    emitted = target.dialect.emit(read.event, read.files)
    lost = {each.place: each.why for each in emitted.lost}
    if not emitted.items:
        rows.setdefault(WHOLE, {}).setdefault(Fate("not sent", lost[""]), number)
        return
    backs = list(read_back(target, emitted.items, BACK))
    for back in backs:
        if back.event is None:
            rows.setdefault(WHOLE, {}).setdefault(Fate("refused", back.wrong), number)
    for place, fate in fates(read.event, [back.event for back in backs if back.event is not None], lost):
        rows.setdefault(place, {}).setdefault(fate, number)
