"""Erasing a person from a database: nothing of the person is in any row, and nothing of it comes back."""

import contextlib
import hashlib
import json
import time
import zlib
from pathlib import Path
from typing import Any

import asyncpg
import attrs
import pytest

from gateway.dialect.outcome import Outcome, Verdict
from gateway.dialect.timestamps import from_millis
from gateway.records.person import Person
from gateway.records.raw_request import RawRequest, compress
from gateway.storage.contract import (
    Appended,
    AppendStatus,
    Blob,
    Entry,
    EventRow,
    IdempotencyRecord,
    QuarantinedItem,
)
from gateway.storage.engines import open_store
from gateway.storage.erasing.eraser import ErasureReport
from gateway.storage.held.record import QuarantineRecord
from gateway.storage.postgres.connection.session import Session
from gateway.storage.read import EventFilter, export
from gateway.storage.store import Store, StoreSettings
from gateway.testing.engine.given.entries import kept
from gateway.testing.engine.given.moves import move
from gateway.testing.engine.given.rejections import rejection

NOW = time.time_ns() // 1_000_000
"""The time of all requests, and of the erasures."""
TIME = "2024-03-01T00:00:00.000Z"
ANN = Person(project="shop", kind="user_id", id="ann-7")
NEW = Appended(AppendStatus.NEW)


def line(name: str, user: str, project: str = "shop", **more: object) -> bytes:
    event = {"project": project, "dialect": "toy", "type": "track", "name": name, "message_id": name, "user_id": user}
    times = {"timestamp": TIME, "received_at": from_millis(NOW)}
    return json.dumps({**event, **times, **more}).encode()


def entry(*lines: bytes, project: str = "shop", **more: object) -> Entry:
    rows = tuple(EventRow(each, key(json.loads(each)["name"])) for each in lines)
    return Entry(project, "toy", "track", NOW, rows, **more)  # type: ignore[arg-type]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def key(name: str) -> bytes:
    """A dedupe key is a hash."""
    return hashlib.blake2b(name.encode(), digest_size=16).digest()


def raw(text: str) -> RawRequest:
    return RawRequest("POST", "/track", b"{}", b"{}", text.encode())


async def erased(store: Store, person: Person = ANN, *, dry_run: bool = False) -> ErasureReport:
    """Erase somebody; the payload of a quarantined item is its part of the request's body."""

    def payload_of(record: QuarantineRecord) -> bytes | None:
        return None if record.raw is None else record.raw.body.split(b"\n")[record.index or 0]

    async with store.eraser() as eraser:
        return await eraser.erase(person, at=NOW, payload_of=payload_of, dry_run=dry_run)


async def whole(url: str) -> str:
    """The text of each row of each table, decompressed."""
    connection = await asyncpg.connect(url)
    found: list[str] = []
    tables = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'gateway'::regnamespace AND relkind = 'r'"
    )
    for (table,) in tables:
        for row in await connection.fetch(f"SELECT * FROM gateway.{table}"):
            for value in row.values():
                if isinstance(value, bytes):
                    with contextlib.suppress(zlib.error):
                        value = zlib.decompress(value)
                    value = value.decode("utf-8", "replace")
                found.append(str(value))
    await connection.close()
    return "\n".join(found)


async def names(store: Store) -> list[str]:
    async with store.log() as log:
        return [json.loads(each)["name"] async for page in export(log) for each in page.lines]


@pytest.fixture
def store(prepared: str) -> Store:
    return open_store(prepared)


async def filled(store: Store) -> None:
    """Write what a person leaves everywhere, beside what others leave."""
    outcomes = (
        Outcome(Verdict.STORED, "ann mixed"),
        Outcome(Verdict.STORED, "bob mixed"),
        Outcome(Verdict.QUARANTINED, "ann held"),
        Outcome(Verdict.QUARANTINED, "bob held"),
    )
    held = [
        QuarantinedItem(f"{who} held", b"[]", b"", key(f"{who} held"), place) for place, who in ((2, "ann"), (3, "bob"))
    ]
    claim = IdempotencyRecord(b"claim", b"same", (Outcome(Verdict.STORED, "ann-7"),))
    async with store.storage(StoreSettings()) as storage:
        for each in (
            entry(line("ann 1", "ann-7"), line("bob 1", "bob"), raw_compressed=compress(raw("opaque"))),
            entry(line("bob 2", "bob", properties={"friend": "ann-7", "note": "met ann-7 there", "n": 1.50})),
            entry(line("kept", "bob"), raw_compressed=compress(raw('{"to": "ann-7"}'))),
            entry(line("other 1", "ann-7", "blog"), project="blog"),
            entry(
                line("ann mixed", "ann-7"),
                line("bob mixed", "bob"),
                quarantined=tuple(held),
                outcomes=outcomes,
                request=kept(raw('{}\n{}\n{"user": "ann-7"}\n{"user": "bob"}')),
            ),
            entry(line("ann alias", "new", previous_id="ann-7"), idempotency=claim),
            entry(
                line("ann file", "ann-7", properties={"sha256": sha256(b"ann's")}),
                blobs=(Blob(sha256(b"ann's"), b"ann's"),),
            ),
            entry(
                line("ann shared", "ann-7", files=[sha256(b"both's")]),
                line("bob shared", "bob", files=[sha256(b"both's")]),
                blobs=(Blob(sha256(b"both's"), b"both's"),),
            ),
        ):
            await storage.append(each)
    rejected = store.rejected_log(StoreSettings())
    async with rejected.running():
        for project, path in (("shop", "/x?u=ann-7"), (None, "/ann-7"), ("blog", "/ann-7"), ("shop", "/bob")):
            rejected.add(rejection(project, path=path))


async def test_a_person_is_in_no_row_any_more_and_all_others_are_as_they_were(store: Store, prepared: str) -> None:
    await filled(store)
    before = await whole(prepared)
    tried = await erased(store, dry_run=True)
    assert await whole(prepared) == before
    report = await erased(store)
    expected = ErasureReport(
        events=5,
        mentions=1,
        parts_left=1,
        receipts=1,
        kept_requests=2,
        quarantined=1,
        rejected=2,
        files=1,
        other_ids=(("user_id", "new"),),
        left=report.left,
    )
    assert report == expected
    assert tried == attrs.evolve(expected, files=0, left=())
    left = [each for each in (await whole(prepared)).split("\n") if "ann" in each]
    # What is of another project, and the text of somebody else.
    assert len(left) == 4
    assert {"/ann-7", "ann-7"} < set(left)
    assert sorted(["blog" in each for each in left if each.startswith("{")]) == [False, True]
    async with store.log() as log:
        lines = [json.loads(each) async for page in export(log) for each in page.lines]
        assert {each["name"] for each in lines} == {"bob 1", "bob 2", "kept", "other 1", "bob mixed", "bob shared"}
    assert (await erased(store)) == ErasureReport(parts_left=1, left=report.left)


async def test_what_comes_late_is_a_duplicate_for_gateways_that_run_and_for_new_ones_and_new_events_are_stored(
    store: Store,
) -> None:
    later = from_millis(NOW + 1000)
    held = QuarantinedItem("ann held", b"[]", b'{"user": "ann-7"}', key("ann held"))
    outcomes = (Outcome(Verdict.STORED, "ann 1"), Outcome(Verdict.QUARANTINED, "ann held"))
    first = entry(line("ann 1", "ann-7"), quarantined=(held,), outcomes=outcomes, request=kept(raw("ann-7")))
    async with store.storage(StoreSettings()) as running:
        await running.append(first)
        report = await erased(store)
        assert (report.events, report.quarantined) == (1, 1)
        for number in range(2):
            async with store.storage(StoreSettings()) if number else contextlib.nullcontext(running) as storage:
                assert (await storage.append(first)).duplicates == (0, 1)
                # As if the keys were forgotten: another key, the same message.
                again = attrs.evolve(first, rows=(EventRow(first.rows[0].body, key(f"x{number}")),))
                assert (
                    await storage.append(attrs.evolve(again, raw_compressed=compress(raw("ann-7"))))
                ).duplicates == (0, 1)
                late = entry(line(f"ann late {number}", "ann-7"), line(f"bob {number}", "bob"))
                assert (await storage.append(late)).duplicates == (0,)
                alias = entry(line(f"ann alias {number}", "other", previous_id="ann-7"))
                assert (await storage.append(alias)).duplicates == (0,)
                fresh = entry(line(f"ann new {number}", "ann-7", timestamp=later))
                assert (await storage.append(fresh)).duplicates == ()
    assert await names(store) == ["bob 0", "ann new 0", "bob 1", "ann new 1"]
    async with store.records() as records:
        assert [each async for each in records.raw_events()] == []
        assert [each async for each in records.quarantine()] == []
        counted = {name: count for _, _, name, count in await records.counters()}
    assert counted["received"] == counted["stored"] + counted["duplicate"] + counted["quarantined"]


class Killed(BaseException):
    """What ends an erasure in the middle."""


async def test_an_erasure_that_was_killed_before_any_of_its_transactions_is_finished_by_the_next(
    store: Store, prepared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(store)
    original, left = Session.transaction, 0

    def counted(session: Session, **how: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return original(session, **how)

    for allowed in range(2, 60, 3):
        left = allowed
        with monkeypatch.context() as patched, contextlib.suppress(Killed):
            patched.setattr(Session, "transaction", counted)
            await erased(store)
            break
    else:
        pytest.fail("it takes more transactions than were tried")
    assert allowed > 20
    others = [each for each in (await whole(prepared)).split("\n") if "ann" in each]
    assert sorted("blog" in each for each in others if each.startswith("{")) == [False, True]
    assert len(others) == 4
    assert "erasing" not in await whole(prepared)
    assert await names(store) == ["bob 1", "bob 2", "kept", "other 1", "bob mixed", "bob shared"]
    async with store.records() as records:
        counted_erased = [count for _, _, verdict, count in await records.counters() if verdict == "erased"]
    assert counted_erased == [5]


async def test_what_was_erased_stays_so_in_a_store_that_is_moved_and_moved_back(
    store: Store, prepared: str, database: str, tmp_path: Path
) -> None:
    async with store.storage(StoreSettings()) as storage:
        await storage.append(entry(line("ann 1", "ann-7"), line("bob 1", "bob")))
        await erased(store)
    between = f"sqlite:{tmp_path / 'data'}"
    await move(prepared, between)
    await move(between, database)
    moved = open_store(database)
    async with moved.storage(StoreSettings()) as storage:
        assert (await storage.append(entry(line("ann 1", "ann-7")))).duplicates == (0,)
        assert (await storage.append(entry(line("ann 2", "ann-7")))).duplicates == (0,)
        assert (await storage.append(entry(line("ann new", "ann-7", timestamp=from_millis(NOW + 1))))).duplicates == ()
    assert await names(moved) == ["bob 1", "ann new"]


async def test_an_id_is_found_however_json_spells_it(store: Store) -> None:
    ids = ['q"\\/\u00e9\n\U0001f600\x1f', "42", "%41 b+c", "\u2028", "x" * 3000]
    async with store.storage(StoreSettings()) as storage:
        for project, identifier in enumerate(ids):
            events = [json.loads(each) for each in _of_everybody(identifier, f"p{project}")]
            # As most events are written, and as those are that have very large integers.
            for is_ascii in (False, True):
                lines = [json.dumps(each, ensure_ascii=is_ascii).encode() for each in events]
                rows = tuple([EventRow(each) for each in lines])
                await storage.append(Entry(f"p{project}", "toy", "track", NOW, rows))
    for project, identifier in enumerate(ids):
        report = await erased(store, Person(project=f"p{project}", kind="anonymous_id", id=identifier))
        # Two events have it within a longer id, and two as a number in a field that is named like no id.
        assert (report.events, report.mentions, report.parts_left) == (4, 4, 4 if identifier == "42" else 2)
        async with store.log() as log:
            where = EventFilter(project=f"p{project}")
            left = [json.loads(each) async for page in export(log, None, where) for each in page.lines]
        assert [each["name"] for each in left] == ["mention", "another", "nobody's"] * 2
        number = 42 if identifier == "42" else 41
        assert left[0]["properties"] == {"to": "[erased]", "nul": "\0", "n": number, "exact": 1e308}


def _of_everybody(identifier: str, project: str) -> list[bytes]:
    number = 42 if identifier == "42" else 41
    return [
        line("own", "u", project, anonymous_id=identifier),
        line("own with nul", "u", project, anonymous_id=identifier, properties={"nul": "a\0b"}),
        line("mention", "bob", project, properties={"to": identifier, "nul": "\0", "n": number, "exact": 1e308}),
        line("another", "bob", project, properties={"to": identifier}),
        line("nobody's", "bob", project, anonymous_id=identifier + "0"),
    ]
