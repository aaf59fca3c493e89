"""Events of a project go after its own time, out of chunks that others still need; and nothing else goes."""

import asyncio
import random
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from gateway.datadir import find
from gateway.storage.contract import Entry, EventRow
from gateway.storage.sqlite.engine import SqliteEngine
from gateway.storage.sqlite.read.reader import Reader
from gateway.storage.sqlite.read.receipts import facts
from gateway.testing.engine.given.entries import body, key
from tests.kit.log_reading import reading, stored_events
from tests.storage.stores import Clock, opened, query, stored

START = 1_700_000_000_000
KEEP = {"short": 10.0, "other": 10.0, "middle": 30.0, "ever": 0.0}
PATIENCE = 10.0


def at(seconds: float, project: str, *names: object, size: int = 0) -> Entry:
    rows = tuple([EventRow(body(f"{name}{'x' * size}", project), key(f"{project} {name}")) for name in names])
    return Entry(project, "toy", "track", START + int(seconds * 1000), rows, raw_compressed=b"raw")


def wall(seconds: float) -> Clock:
    return Clock(START / 1000 + seconds)


async def tidied(engine: SqliteEngine) -> None:
    while await engine._tidy():
        pass


def projects_of(path: Path) -> dict[str, list[int]]:
    """Return the positions of the events that are there, by project."""
    found: dict[str, list[int]] = {}
    for position, line in stored_events(path):
        found.setdefault(line.split(b'"')[3].decode(), []).append(int(position))
    return found


@pytest.mark.parametrize("compress", [False, True])
async def test_each_project_keeps_its_events_for_its_own_time(tmp_path: Path, compress: bool) -> None:
    async with opened(
        tmp_path, keep_events_of=KEEP.__getitem__, wall_clock=wall(35), compress=compress, keep_raw=1e6
    ) as (storage, engine):
        receipts: dict[str, int] = {}
        for second in range(6):  # each time one chunk, with an event of each project at its beginning and its end
            appended = await asyncio.gather(
                *[storage.append(at(second, name, second, f"{second} again", size=6000)) for name in KEEP],
                storage.append(at(second, "short", f"{second} last")),
            )
            receipts |= {f"{name} {second}": each.receipt for name, each in zip(KEEP, appended, strict=False)}
        for second in (28, 29):
            await asyncio.gather(*[storage.append(at(second, name, second)) for name in KEEP])
        await tidied(engine)
        again = await asyncio.gather(*[storage.append(at(36, name, *range(6))) for name in KEEP])

    # At second 35 those of second 5 are just not too old for "middle".
    assert projects_of(tmp_path) == {
        "short": [55, 59],
        "other": [56, 60],
        "middle": [50, 51, 57, 61],
        "ever": [*[9 * second + place for second in range(6) for place in (7, 8)], 58, 62],
    }
    assert [each.duplicates for each in again] == [tuple(range(6))] * 4
    with Reader(find(tmp_path)) as reader:
        known = {name for name, number in receipts.items() if facts(reader, f"{number:x}") is not None}
    assert known == {"middle 5", *[f"ever {second}" for second in range(6)]}
    of_then = query(tmp_path, f"SELECT receipt FROM raws WHERE receipt < {(START + 20_000) << 20}")
    assert {number for (number,) in of_then} == {number for name, number in receipts.items() if name in known}
    async with reading(tmp_path) as log:
        assert await log.count() == 22
    if not compress:
        assert query(tmp_path, "SELECT count(*) FROM events") == [(22,)]


async def test_events_expire_although_nothing_new_comes(tmp_path: Path) -> None:
    async with opened(tmp_path, keep_events=10.0, wall_clock=wall(100), tidy_every=0.01) as (storage, _):
        await storage.append(at(0, "short", *range(3)))
        await storage.append(at(95, "short", "young"))
        deadline = time.monotonic() + PATIENCE
        while projects_of(tmp_path) != {"short": [4]}:
            assert time.monotonic() < deadline
            await asyncio.sleep(0)
    async with opened(tmp_path, keep_events=10.0, wall_clock=wall(200)) as (storage, engine):
        await tidied(engine)
        assert stored(tmp_path) == []
        assert (await storage.append(at(201, "short", 0, "young", "new"))).duplicates == (0, 1)
    assert projects_of(tmp_path) == {"short": [5]}


async def test_a_project_that_comes_late_and_a_time_that_is_changed_are_heeded(tmp_path: Path) -> None:
    times = {"ever": 0.0, "short": 10.0, "late": 10.0}
    async with opened(tmp_path, keep_events_of=times.__getitem__, wall_clock=wall(20)) as (storage, engine):
        await storage.append(at(0, "ever", 0))
        await storage.append(at(1, "short", 0))
        await tidied(engine)
        await storage.append(at(2, "late", 0))
        await storage.append(at(3, "ever", 1))
        await tidied(engine)
        assert projects_of(tmp_path) == {"ever": [1, 4]}
    times["ever"], times["late"] = 18.0, 0.0
    async with opened(tmp_path, keep_events_of=times.__getitem__, wall_clock=wall(20)) as (storage, engine):
        await tidied(engine)
        assert projects_of(tmp_path) == {"ever": [4]}
        assert await storage.append(at(20, "late", 1))
    assert projects_of(tmp_path) == {"ever": [4], "late": [5]}


def left(path: Path) -> set[int]:
    return {position for positions in projects_of(path).values() for position in positions}


@pytest.mark.parametrize("seed", range(3))
async def test_whenever_it_is_killed_no_event_goes_before_its_time_and_all_go_after_it(
    tmp_path: Path, seed: int
) -> None:
    chance, clock, sent = random.Random(seed), wall(0), list[tuple[float, str]]()
    path = tmp_path / "0"
    for life in range(4):
        async with opened(
            path,
            keep_events_of=KEEP.__getitem__,
            wall_clock=clock,
            max_memtable_keys=chance.choice([1, 1000]),
            compress=chance.random() < 0.5,
        ) as (storage, engine):
            for _ in range(chance.randrange(2, 6)):
                clock.now += chance.randrange(8)
                second, size = clock.now - START / 1000, chance.choice([0, 9000])
                group = chance.choices(list(KEEP), k=chance.randrange(1, 6))
                entries = [at(second, each, len(sent) + index, size=size) for index, each in enumerate(group)]
                await asyncio.gather(*[storage.append(entry) for entry in entries])
                sent += [(second, each) for each in group]
                for _ in range(chance.randrange(4)):
                    await engine._tidy()
            young = {
                position
                for position, (then, project) in enumerate(sent, 1)
                if not KEEP[project] or then >= second - KEEP[project]
            }
            assert young <= left(path)
            killed = tmp_path / f"{life + 1}"
            shutil.copytree(path, killed, ignore=shutil.ignore_patterns("*-shm"))
            await tidied(engine)
            ends = [int(str(last)) for (last,) in query(path, "SELECT last FROM log ORDER BY last")]
            for position in left(path) - young:  # one that is in a chunk with a younger one goes with that
                end = sent[next(last for last in ends if last >= position) - 1]
                assert end[0] >= second - KEEP[sent[position - 1][1]]
        path = killed
        with closing(sqlite3.connect(path / "events.db")) as file:
            assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
