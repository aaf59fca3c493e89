"""What is left of an erased person in the files of a data directory: nothing, also where old copies were."""

import json
import re
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from random import Random

import attrs
import pytest

from gateway.datadir import find
from gateway.dialect.outcome import Outcome, StorageUnavailable, Verdict
from gateway.operate.check import Check
from gateway.operate.moving.move import Move
from gateway.records.person import Person
from gateway.records.raw_request import compress
from gateway.storage.contract import EventRow, QuarantinedItem
from gateway.storage.engines import open_store
from gateway.storage.erasing.eraser import ErasureReport
from gateway.storage.erasing.step import ErasingStorage, ErasureStep, StepResult
from gateway.storage.group_commit import GroupCommit
from gateway.storage.sqlite.checkpointer import CheckpointPace
from gateway.storage.sqlite.erasing import eraser as eraser_module
from gateway.storage.sqlite.erasing.eraser import SqliteEraser
from gateway.storage.sqlite.erasing.scrub import _size
from gateway.storage.sqlite.moving import batches
from gateway.testing.engine.given.entries import claim, entry, kept, key
from gateway.testing.engine.given.persons import ANN, AT, blob, hers, no_payload, other, raw
from tests.storage.stores import opened, stored

UNIQUE = b"note of h"
BEGINS = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
PACE = CheckpointPace(every=50, restart=100, rest=20)


def holding(directory: Path, *needles: bytes) -> list[str]:
    """The files that hold one of these, as it is or where something compressed begins, whether or not it is in use."""
    files = [each for each in directory.rglob("*") if each.is_file()]
    return sorted({each.name for each in files for text in texts(each.read_bytes()) if any(n in text for n in needles)})


def texts(content: bytes) -> list[bytes]:
    return [content, *[inflated(content[found.start() :]) for found in BEGINS.finditer(content)]]


def inflated(content: bytes) -> bytes:
    """As much of a compressed text as can be read, up to where its first page ends."""
    inflating, found = zlib.decompressobj(), bytearray()
    try:
        for at in range(0, min(len(content), 4096), 64):
            found += inflating.decompress(content[at : at + 64])
    except zlib.error:
        pass
    return bytes(found)


async def erase(directory: Path, engine: object, person: Person = ANN) -> ErasureReport:
    async with SqliteEraser.opened(find(directory), engine, is_alone=True) as eraser:  # type: ignore[arg-type]
        return await eraser.erase(person, at=AT, payload_of=no_payload)


@attrs.define
class Killed:
    """A writer that ends, as a killed process does, before one of its steps."""

    engine: ErasingStorage
    left: int

    async def erase(self, step: ErasureStep) -> StepResult:
        """Do a step, or end."""
        self.left -= 1
        if self.left < 0:
            raise StorageUnavailable("killed")
        return await self.engine.erase(step)


def filler(number: int, size: int) -> EventRow:
    return other(f"f{number}", properties={"x": f"{number} " * (size // 6)})


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
async def test_no_file_has_the_id_or_an_event_of_the_person_whatever_was_merged(tmp_path: Path, compress: bool) -> None:
    """Chunks of all sizes, each of them merged or not, with pages that were free and used again in between."""
    random = Random(7)
    number = 0
    async with opened(tmp_path, compress=compress, pace=PACE) as (storage, engine):
        for _ in range(120):
            rows = []
            for _ in range(random.choice([1, 1, 1, 2, 5, 30])):
                number += 1
                size = random.choice([10, 100, 1000, 6000])
                rows.append(hers(f"h{number}") if random.random() < 0.2 else filler(number, size))
            await storage.append(entry(*rows, project="shop"))
        assert holding(tmp_path, b"ann@example.org") != []

        report = await erase(tmp_path, engine)

        assert report.left == ()
        assert holding(tmp_path, b"ann@example.org", UNIQUE) == []
        assert len(stored(tmp_path)) == number - report.events
        assert (tmp_path / "events.db-wal").stat().st_size == 0
    assert holding(tmp_path, b"ann@example.org", UNIQUE) == []


async def test_an_erasure_that_is_killed_before_any_of_its_steps_is_finished_by_the_next(tmp_path: Path) -> None:
    steps, killed = 0, True
    while killed:
        folder = tmp_path / str(steps)
        async with opened(folder, keep_raw=3600.0) as (storage, engine):
            await fill_with_all(storage)
            try:
                await erase(folder, Killed(engine, steps))
                killed = False
            except StorageUnavailable:
                await storage.append(entry(hers("1"), other("later"), project="shop"))
                await erase(folder, engine)
            steps += 1
            assert holding(folder, b"ann@example.org", UNIQUE) == []
            with closing(sqlite3.connect(folder / "events.db")) as file:
                counts = dict(file.execute("SELECT verdict, count FROM counters WHERE project = 'shop'").fetchall())
                table = "SELECT count(*) FROM sqlite_schema WHERE name = 'overwritten'"
                assert file.execute(table).fetchone() == (0,)
            assert counts["erased"] == 20 + (steps == 1)  # before its first step nothing holds back what comes
            assert sum(1 for line in stored(folder) if b'"bob"' in line) == 19 + killed
            assert list((folder / "blobs").rglob("*/*")) == []
    assert steps >= 9


async def fill_with_all(storage: GroupCommit) -> None:
    """A person's events in several chunks, with receipts, kept requests, held items, a claim and a file."""
    for number in range(19):
        rows = (hers(f"h{number}"), filler(number, 20_000))
        await storage.append(entry(*rows, project="shop"))
    image = blob(b"image")
    event = hers("h-file", context={"toy": [{"sha256": image.name}]})
    outcomes = (Outcome(Verdict.STORED, "id-h-file"), Outcome(Verdict.QUARANTINED, "q"))
    request = raw({"userId": "ann@example.org", "note": "note of held"})
    held = QuarantinedItem("q", b"[]", key=key("q"), index=1)
    everything = attrs.evolve(
        entry(event, project="shop", quarantined=(held,), idempotency=claim("key", outcomes=outcomes)),
        blobs=(image,),
        request=kept(request),
        raw_compressed=compress(request),
        outcomes=outcomes,
    )
    await storage.append(everything)


async def test_a_file_of_an_older_gateway_is_written_anew_where_nobody_waits_and_told_else(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as (storage, engine):
        await storage.append(entry(*[hers(f"h{number}") for number in range(200)], project="shop"))
        await engine.run(deleted_as_before)
        assert UNIQUE in (tmp_path / "events.db").read_bytes() + (tmp_path / "events.db-wal").read_bytes()

        async with SqliteEraser.opened(find(tmp_path), engine, is_alone=False) as eraser:
            served = await eraser.erase(ANN, at=AT, payload_of=no_payload)
        assert [each.partition(",")[0] for each in served.left] == [
            "events.db was written by an older gateway too",
        ]
        assert holding(tmp_path, UNIQUE) == ["events.db"]

        assert (await erase(tmp_path, engine)).left == ()
        assert holding(tmp_path, UNIQUE) == []
        assert (await erase(tmp_path, engine)).left == ()


def deleted_as_before(connection: sqlite3.Connection) -> None:
    """Leave old copies in the unused part of a page, as gateways did before version 8."""
    connection.execute("PRAGMA secure_delete = OFF").fetchall()
    connection.execute("CREATE TABLE old (id INTEGER PRIMARY KEY, content TEXT)")
    connection.executemany(
        "INSERT INTO old VALUES (?, ?)", [(number, f"note of h{number}" if number else "") for number in range(20)]
    )
    connection.execute("DELETE FROM old WHERE id > 0")
    connection.execute("INSERT INTO meta VALUES ('unscrubbed', 1)")


async def test_a_reader_that_stays_keeps_the_write_ahead_log_and_the_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eraser_module, "CLEAN_TRIES", 1)
    async with opened(tmp_path) as (storage, engine):
        await storage.append(entry(hers("h1"), project="shop"))
        with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM log").fetchone()
            [left] = (await erase(tmp_path, engine)).left
            assert left.startswith("the write-ahead log of events.db still has old copies: somebody keeps reading it")
        assert (await erase(tmp_path, engine)).left == ()
        assert holding(tmp_path, b"ann@example.org", UNIQUE) == []


async def test_what_was_erased_stays_so_in_a_store_that_it_is_moved_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "EVENTS", 1)
    async with opened(tmp_path / "from") as (storage, engine):
        await storage.append(entry(other("1"), hers("2"), other("3"), project="shop"))
        await storage.append(entry(hers("4"), other("5"), project="shop"))
        await erase(tmp_path / "from", engine)
    source, target = open_store(f"sqlite:{tmp_path / 'from'}"), open_store(f"sqlite:{tmp_path / 'to'}")
    async with source.move_source() as read:
        assert [problem async for problem in Check(read).problems()] == []
    async with source.move_source() as read, target.move_target() as written:
        assert (await Move(read, written, say=lambda _: None).run()).events == 3
    async with opened(tmp_path / "to") as (storage, _):
        answer = await storage.append(entry(hers("2"), hers("old"), other("6"), project="shop"))
        assert answer.duplicates == (0, 1)
    async with target.move_source() as read:
        assert [problem async for problem in Check(read).problems()] == []
    async with target.log() as reader:
        assert [(position, json.loads(line)["name"]) for position, line in (await reader.page()).events] == [
            (1, "1"),
            (3, "3"),
            (5, "5"),
            (6, "6"),
        ]


def test_the_zeros_that_are_written_fill_whole_pages() -> None:
    with closing(sqlite3.connect(":memory:")) as file:
        (page,) = file.execute("PRAGMA page_size").fetchone()
        file.execute("CREATE TABLE overwritten (content BLOB)")
        for pages in (1, 2, 30, 31, 32, 33, 511, 512, 513, 1000):
            (before,) = file.execute("PRAGMA page_count").fetchone()
            file.execute("INSERT INTO overwritten VALUES (zeroblob(?))", (_size(page, pages),))
            (after,) = file.execute("PRAGMA page_count").fetchone()
            assert after - before - pages in (0, 1, 2)  # more where the rows' own pages were full


async def test_what_was_merged_is_in_no_page_that_was_used_again_within_the_merge(tmp_path: Path) -> None:
    """Small chunks as text become compressed ones, until the table of the log has its second level."""
    for seed in range(4):
        folder, random = tmp_path / str(seed), Random(seed)
        async with opened(folder, compress=True, pace=PACE) as (storage, engine):
            for number in range(90):
                rows = [hers(f"h{number}"), *[noise(random, f"f{number}-{each}") for each in range(4)]]
                await storage.append(entry(*rows, project="shop"))
            assert (await erase(folder, engine)).events == 90
        assert (seed, holding(folder, b"ann@example.org", UNIQUE)) == (seed, [])


def noise(random: Random, name: str) -> EventRow:
    return other(name, properties={"x": random.randbytes(random.choice([100, 400, 700])).hex()})
