"""A power cut at any moment: what was not fsynced is gone, whole or in parts; what was acknowledged is there."""

import asyncio
import os
import random
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

import attrs
import pytest

from gateway.storage.quarantined_items import decode_items
from tests.faults.disk import WRITE, Disk, records
from tests.faults.figures import Figure
from tests.faults.lives import seconds_until, watched
from tests.faults.oracle import Oracle
from tests.faults.traffic import Sent, keys_of, kinds, marks_in
from tests.faults.wire import Answer

ENOUGH = 30 << 20  # bytes of journal: SQLite folds its log back after 16 MiB of it
MAX_LENGTH = 20.0
POINTS = 10
CHECKPOINT = "events.db"
HAS_HELD = "SELECT 1 FROM sqlite_schema WHERE name = 'quarantined_requests'"
HELD = "SELECT id, items FROM quarantined_requests"
FILE = re.compile(r'"sha256":"([0-9a-f]{64})"')


@attrs.define
class Ack:
    """An answer, and how long the journal was when it had come: all it covers was safe by then."""

    at: int
    sent: Sent
    answer: Answer


@attrs.frozen
class Recorded:
    """A loaded gateway's journal, and its oracle's."""

    root: PurePosixPath
    journal: bytes
    acks: Sequence[Ack]


def recorded(folder: Path, shim: Path, *, failing: bool = False) -> Recorded:
    """Run a gateway under load on a disk with a journal, then kill it; `failing` has its syncs fail for a while."""
    data, journal, control = folder / "data", folder / "journal", folder / "control"
    data.mkdir(mode=0o700)
    control.mkdir()
    environment = {"FAULTS_ROOT": str(data), "FAULTS_JOURNAL": str(journal), "FAULTS_CONTROL": str(control)}
    acks: list[Ack] = []

    def note(sent: Sent, answer: Answer) -> None:
        acks.append(Ack(journal.stat().st_size, sent, answer))

    async def loaded(url: str, oracle: Oracle) -> None:
        stop = asyncio.Event()
        load = asyncio.create_task(oracle.load(url, stop))
        started = time.monotonic()
        for share in (0.3, 0.6, 1.0):
            while await asyncio.to_thread(os.path.getsize, journal) < share * ENOUGH:
                assert time.monotonic() - started < MAX_LENGTH, "the load is too small"
                await asyncio.sleep(0.02)
            if failing and share < 1:
                (control / "eio").touch()
                await asyncio.sleep(0.3)
                (control / "eio").unlink()
                await asyncio.to_thread(seconds_until, url, 200)
        stop.set()
        await load

    with watched(data, env={"LD_PRELOAD": str(shim), **environment}) as served:
        oracle = Oracle(kinds(keys_of(served.greeting), size=10), random.Random(7), ever=note)
        asyncio.run(loaded(served.url, oracle))
    assert oracle.broken == []
    return Recorded(PurePosixPath(data), journal.read_bytes(), acks)


def cuts(recording: Recorded, disk: Disk, points: Sequence[int]) -> Iterator[tuple[int, Disk]]:
    """Replay the journal and stop at each point."""
    waiting = sorted(points)
    for record in records(recording.journal):
        while waiting and record.end > waiting[0]:
            yield waiting.pop(0), disk
        disk.do(record)
    for point in waiting:
        yield point, disk


def moments(recording: Recorded, chance: random.Random, count: int) -> list[int]:
    """Choose when to cut: half right behind an answer, half anywhere between the first answer and the end."""
    behind = [ack.at for ack in chance.sample(list(recording.acks), count // 2)]
    first = recording.acks[0].at
    return [*behind, *(chance.randrange(first, len(recording.journal)) for _ in range(count - count // 2))]


def missing(recording: Recorded, point: int, image: Path) -> set[str]:
    """Return the marks acknowledged by then that an image does not hold; its database must be sound."""
    promised = {mark for ack in recording.acks if ack.at <= point for mark in (*ack.sent.marks, *ack.sent.quarantined)}
    events = image / "events.db"
    if not events.exists():
        return promised
    connection = sqlite3.connect(events)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'events'").fetchone():
            return promised
        bodies = [body for (body,) in connection.execute("SELECT body FROM events")]
        held = connection.execute(HELD).fetchall() if connection.execute(HAS_HELD).fetchone() else []
        quarantined = [item.payload for first, items in held for item in decode_items(items, first)]
    finally:
        connection.close()
    stored = [marks_in(body)[0] for body in bodies]
    assert len(stored) == len(set(stored)), "an event is stored twice"
    for name in {name for body in bodies for name in FILE.findall(body)}:
        assert sha256((image / "blobs" / name[:2] / name[2:]).read_bytes()).hexdigest() == name
    return promised - set(stored) - {mark for payload in quarantined for mark in marks_in(payload)}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, shim: Callable[[str], Path]) -> Recorded:
    return recorded(tmp_path_factory.mktemp("recorded"), shim("disk"))


def test_a_power_cut_loses_nothing_that_was_acknowledged(recording: Recorded, tmp_path: Path, figure: Figure) -> None:
    assert tried(recording, tmp_path, figure) == {}


def test_a_power_cut_after_syncs_that_failed_loses_nothing_either(
    tmp_path: Path, figure: Figure, shim: Callable[[str], Path]
) -> None:
    assert tried(recorded(tmp_path, shim("disk"), failing=True), tmp_path, figure) == {}


def tried(recording: Recorded, folder: Path, figure: Figure) -> dict[int, set[str]]:
    """Cut at many moments, each time with all that was not safe gone and with parts of it; return what was missing."""
    image = folder / "image"
    lost: dict[int, set[str]] = {}
    points = moments(recording, random.Random(11), POINTS)
    for chance in (None, random.Random(13)):
        for point, disk in cuts(recording, Disk(recording.root, chance=chance), points):
            disk.image(image, chance)
            gone = missing(recording, point, image)
            if gone:
                lost[point] = gone
            shutil.rmtree(image)
    done = list(records(recording.journal))
    folded = sum(record.path.endswith(f"/{CHECKPOINT}") and record.op == WRITE for record in done)
    figure(
        f"{2 * len(points)} cuts, {len(recording.acks)} acknowledged requests, {len(done)} journal records of which "
        f"{folded} are writes to {CHECKPOINT} itself: {sum(map(len, lost.values()))} events lost"
    )
    assert folded > 50, "the log was never folded back into the file: the load is too small"
    return lost


def test_a_disk_that_lies_about_its_syncs_is_noticed(recording: Recorded, tmp_path: Path) -> None:
    end = len(recording.journal)
    [(point, disk)] = cuts(recording, Disk(recording.root, lying=True), [end])
    disk.image(tmp_path / "image")
    assert missing(recording, point, tmp_path / "image")


def test_a_gateway_starts_after_a_power_cut_and_answers_retries_as_before(
    recording: Recorded, tmp_path: Path, figure: Figure
) -> None:
    point = recording.acks[-1].at
    [(_, disk)] = cuts(recording, Disk(recording.root), [point])
    disk.image(tmp_path / "image")
    again = [ack for ack in recording.acks if ack.at <= point and ack.sent.safe][-300:]
    with watched(tmp_path / "image") as served:
        before = int(served.cli("events", "count"))
        oracle = Oracle([], random.Random(1))
        for ack in again:
            oracle.answered(ack.sent, ack.answer)
        asyncio.run(oracle.settle(served.url))
        after = int(served.cli("events", "count"))
    figure(f"{len(again)} requests sent again to {before} events, {after - before} stored twice")
    assert (oracle.broken, after) == ([], before)
