"""Counting names: exactly, and within bounds."""

import json

import attrs
import pytest

from gateway.operate.events import names as event_names
from gateway.operate.events.names import NameCount, NameCounts
from gateway.operate.events.summary import EventSummary, summary
from gateway.storage.read import Page
from gateway.testing.engine.given.lines import MINUTE, START, line


def page(*lines: bytes) -> Page:
    return Page(range(1, len(lines) + 1), b"\n".join(lines), len(lines), False)


def counted(*pages: Page) -> list[NameCount]:
    counts = NameCounts()
    for each in pages:
        counts.add(each)
    assert counts.events == sum(each.events for each in counts.found())
    return counts.found()


def of(name: str | None, events: int, newest: str = "2026-01-02T03:04:05.678Z", **named: str) -> NameCount:
    place = {"project": "shop", "dialect": "toy", "type": "track", **named}
    return NameCount(
        project=place["project"],
        dialect=place["dialect"],
        type=place["type"],
        name=name,
        events=events,
        newest=newest,
    )


def test_names_are_counted_by_project_dialect_and_type() -> None:
    later = "2026-01-02T03:05:05.678Z"
    lines = [
        line(1, name="b", at=START + MINUTE),
        line(2, name="b"),
        line(3, name="a"),
        line(4, name="a", type="page"),
        line(5, type="identify"),
        line(6, "blog", name="a"),
        line(7, dialect="acme", name="a"),
        line(8, name='say "hi"\n', at=START + MINUTE),
        json.dumps(json.loads(line(9, name="b")), sort_keys=True).encode(),
        b'{"project":"x","number":1}',
    ]
    assert counted(page(*lines[:5]), page(*lines[5:])) == [
        of("a", 1, project="blog"),
        of("a", 1, dialect="acme"),
        of(None, 1, type="identify"),
        of("a", 1, type="page"),
        of("b", 3, later),
        of("a", 1),
        of('say "hi"\n', 1, later),
        of(None, 1, "", project="x", dialect="", type=""),
    ]


def test_names_beyond_the_bounds_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_names, "MOST_NAMES", 2)
    later = START + MINUTE
    lines = [line(1, name=name) for name in ("a", "b", "c", "d", "a", "c")]
    others = [line(2, name="e", type="page", at=later), line(3, name="f", type="page"), line(4, "blog", name="c")]
    assert counted(page(*lines, *others)) == [
        of("c", 1, project="blog"),
        attrs.evolve(of(None, 2, "2026-01-02T03:05:05.678Z", type="page"), is_rest=True),
        of("a", 2),
        of("b", 1),
        attrs.evolve(of(None, 3), is_rest=True),
    ]


def test_long_names_take_the_room_of_many() -> None:
    long = "x" * (event_names.MOST_BYTES // 2)
    found = counted(page(*[line(1, name=name) for name in (long, f"{long}y", "short", f"{long}z")]))
    assert [(each.name, each.events, each.is_rest) for each in found] == [
        ("short", 1, False),
        (long, 1, False),
        (None, 2, True),
    ]


def test_an_event_in_one_line() -> None:
    assert summary(line(1, name="Signed Up", anonymous_id="a-1")) == EventSummary(
        "2026-01-02T03:04:05Z", "shop", "toy", "track", "Signed Up", "a-1"
    )
    assert summary(line(1, type="identify", user_id="u-1", anonymous_id="a-1")).person == "u-1"
    assert summary(b"[1") == summary(b"[1]") == EventSummary("", "", "", "", "", "")
    assert summary(b'{"project":"x","name":5}') == EventSummary("", "x", "", "", "5", "")
