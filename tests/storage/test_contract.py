"""What every Storage promises. Another engine joins by one more entry in STORES."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import sha256
from typing import Any

import attrs
import pytest

from gateway.dialect.outcome import Fault, Outcome, StorageUnavailable, Verdict
from gateway.storage.contract import Appended, AppendStatus, EventRow, QuarantinedItem, Storage
from gateway.storage.engines import open_store
from gateway.storage.store import StoreSettings
from tests.kit.log_reading import awaited, events_of
from tests.kit.postgres.fixtures import with_tables
from tests.kit.recording import RecordingStorage
from tests.storage.respelled import respelled
from tests.storage.stores import Clock, body, claim, counted, entry, key, opened, row, stored, stored_items


@attrs.frozen
class Store:
    storage: Storage
    bodies: Callable[[], list[bytes]]
    counts: Callable[[], dict[str, int]]


@asynccontextmanager
async def recording(_: pytest.FixtureRequest) -> AsyncIterator[Store]:
    storage = RecordingStorage()

    def counts() -> dict[str, int]:
        total = dict.fromkeys(("received", "stored", "duplicate", "quarantined"), 0)
        for (_, _, verdict), count in storage.counts.items():
            total[verdict] += count
        return total

    yield Store(storage, lambda: storage.bodies, counts)


@asynccontextmanager
async def sqlite(request: pytest.FixtureRequest, **settings: Any) -> AsyncIterator[Store]:
    path = request.getfixturevalue("tmp_path") / "data"
    async with opened(path, **settings) as (storage, _):
        yield Store(storage, lambda: stored(path), lambda: counted(path))


def sqlite_with_no_memory(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Store]:
    return sqlite(request, max_memtable_keys=1)


def sqlite_whose_clock_runs(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Store]:
    clock = Clock()

    def later() -> float:
        clock.now += 61.0
        return clock.now

    return sqlite(request, clock=later, max_memtable_keys=2)


@asynccontextmanager
async def postgres(request: pytest.FixtureRequest, installation: str = "wheel") -> AsyncIterator[Store]:
    clusters = request.getfixturevalue("clusters")
    with with_tables(clusters(installation)) as url:
        store = open_store(url)

        def bodies() -> list[bytes]:
            return [respelled(line) for _, line in events_of(store)]

        async def counters() -> dict[str, int]:
            total = dict.fromkeys(("received", "stored", "duplicate", "quarantined"), 0)
            async with store.records() as records:
                for _, _, verdict, count in await records.counters():
                    total[verdict] += count
            return total

        async with store.storage(StoreSettings()) as storage:
            yield Store(storage, bodies, lambda: awaited(counters()))


def postgres_of_debian(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Store]:
    return postgres(request, "debian")


STORES: list[Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Store]]] = [
    recording,
    sqlite,
    sqlite_with_no_memory,
    sqlite_whose_clock_runs,
    postgres,
    postgres_of_debian,
]


@pytest.fixture(params=STORES, ids=lambda opener: opener.__name__)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    async with request.param(request) as found:
        yield found


HELD = QuarantinedItem("m1", b'[{"code":"required"}]', b'{"name":""}')


async def test_rows_are_kept_in_their_order(store: Store) -> None:
    answer = await store.storage.append(entry(row(1), row(2), row(3)))

    assert answer == Appended(AppendStatus.NEW)
    assert store.bodies() == [body(1), body(2), body(3)]


async def test_a_key_that_comes_again_in_a_later_entry_is_seen(store: Store) -> None:
    for number in range(8):
        await store.storage.append(entry(row(number)))

    answers = [await store.storage.append(entry(row(number), row(number + 8))) for number in range(8)]

    assert answers == [Appended(AppendStatus.NEW, duplicates=(0,))] * 8
    assert sorted(store.bodies()) == sorted(body(number) for number in range(16))


async def test_of_two_rows_with_one_key_in_one_entry_the_first_is_kept(store: Store) -> None:
    answer = await store.storage.append(entry(row(1), EventRow(body("other"), row(1).key), row(2)))

    assert answer == Appended(AppendStatus.NEW, duplicates=(1,))
    assert store.bodies() == [body(1), body(2)]


async def test_of_many_entries_at_once_with_one_key_exactly_one_is_new(store: Store) -> None:
    answers = await asyncio.gather(*[store.storage.append(entry(row(1))) for _ in range(20)])

    assert sorted(answer.duplicates for answer in answers) == [(), *[(0,)] * 19]
    assert store.bodies() == [body(1)]


async def test_equal_bodies_without_a_key_are_two_events(store: Store) -> None:
    answer = await store.storage.append(entry(EventRow(body(1)), EventRow(body(1))))

    assert answer == Appended(AppendStatus.NEW)
    assert store.bodies() == [body(1), body(1)]


async def test_text_beyond_ascii_is_kept_to_the_byte(store: Store) -> None:
    line = '{"project":"p","name":"žluťoučký 🐎 \\u0000 \u2028"}'.encode()

    await store.storage.append(entry(EventRow(line)))

    assert store.bodies() == [line]


async def test_an_entry_of_more_rows_than_a_statement_takes_is_kept_whole(store: Store) -> None:
    rows = [row(number) for number in range(601)]

    answer = await store.storage.append(entry(*rows))

    assert answer == Appended(AppendStatus.NEW)
    assert store.bodies() == [each.body for each in rows]


async def test_an_entry_without_rows_is_fresh(store: Store) -> None:
    assert await store.storage.append(entry()) == Appended(AppendStatus.NEW)
    assert store.bodies() == []


async def test_a_claim_that_comes_again_is_answered_with_the_first_memory(store: Store) -> None:
    first = await store.storage.append(entry(row(1), idempotency=claim("k", outcomes=stored_items("first"))))
    again = await store.storage.append(entry(row(2), idempotency=claim("k", outcomes=stored_items("second"))))

    assert (first, again) == (
        Appended(AppendStatus.NEW),
        Appended(AppendStatus.REPLAYED, outcomes=stored_items("first")),
    )
    assert store.bodies() == [body(1)]


async def test_a_replay_is_answered_with_what_the_items_became_the_first_time(store: Store) -> None:
    outcomes = (*stored_items("m-1", "m-2"), Outcome(Verdict.REJECTED, "m-3", (Fault("type", "/at", {"limit": 1}),)))
    first = attrs.evolve(entry(row(1), row(2), idempotency=claim("k", outcomes=outcomes)), outcomes=outcomes)
    await store.storage.append(entry(row(2)))

    answers = [await store.storage.append(first) for _ in range(2)]

    became = (outcomes[0], Outcome(Verdict.DUPLICATE, "m-2"), outcomes[2])
    assert answers == [
        Appended(AppendStatus.NEW, duplicates=(1,)),
        Appended(AppendStatus.REPLAYED, outcomes=became),
    ]
    assert answers[0].applied_to(outcomes) == became
    assert store.bodies() == [body(2), body(1)]


async def test_a_replay_of_very_many_items_is_answered_as_the_first_time(store: Store) -> None:
    verdicts = (Verdict.QUARANTINED, Verdict.REJECTED, Verdict.FILTERED)
    outcomes = tuple(
        Outcome(verdicts[index % 3], sha256(b"%d" % index).hexdigest(), (Fault("type", f"/{index}"),))
        for index in range(6000)
    )
    held = tuple(
        QuarantinedItem(outcome.message_id, b"[]", index=index, verdict=outcome.verdict.value)
        for index, outcome in enumerate(outcomes)
        if outcome.verdict is not Verdict.REJECTED
    )
    large = attrs.evolve(entry(idempotency=claim("k", outcomes=outcomes)), quarantined=held, outcomes=outcomes)

    answers = [await store.storage.append(large) for _ in range(2)]

    assert [answer.status for answer in answers] == [AppendStatus.NEW, AppendStatus.REPLAYED]
    assert [answer.applied_to(outcomes) == outcomes for answer in answers] == [True, True]
    assert answers[0].receipt == answers[1].receipt > 0


async def test_a_quarantined_item_with_a_known_id_is_a_duplicate_at_its_place_among_the_items(store: Store) -> None:
    held = tuple(QuarantinedItem(name, b"[]", b"{}", key(name), index) for name, index in (("a", 0), ("b", 2)))
    verdicts = (Verdict.QUARANTINED, Verdict.REJECTED, Verdict.FILTERED, Verdict.STORED)
    outcomes = tuple(Outcome(verdict, str(index)) for index, verdict in enumerate(verdicts))
    mixed = attrs.evolve(entry(row("c")), quarantined=held, outcomes=outcomes)

    await store.storage.append(entry(row("b")))
    answers = [await store.storage.append(mixed) for _ in range(2)]

    assert [answer.duplicates for answer in answers] == [(2,), (0, 2, 3)]


async def test_an_entry_whose_outcomes_are_not_those_of_its_items_is_at_fault(store: Store) -> None:
    with pytest.raises((ValueError, RuntimeError), match="outcomes"):
        await store.storage.append(attrs.evolve(entry(row(1)), outcomes=stored_items("m-1", "m-2")))
    with pytest.raises((ValueError, RuntimeError), match="outcomes"):
        await store.storage.append(attrs.evolve(entry(row(1), quarantined=(HELD,)), outcomes=()))
    assert store.bodies() == []


async def test_a_claim_with_other_content_is_a_conflict_and_stores_nothing(store: Store) -> None:
    await store.storage.append(entry(row(1), idempotency=claim("k", "this")))

    assert await store.storage.append(entry(row(2), idempotency=claim("k", "that"))) == Appended(AppendStatus.CONFLICT)
    assert store.bodies() == [body(1)]
    assert store.counts() == {"received": 1, "stored": 1, "duplicate": 0, "quarantined": 0}


async def test_of_two_claims_at_once_one_is_fresh_and_the_other_replays_it(store: Store) -> None:
    entries = [
        entry(row(1), idempotency=claim("k", outcomes=stored_items("first"))),
        entry(row(1), idempotency=claim("k", outcomes=stored_items("second"))),
        entry(row(2), idempotency=claim("k", "that")),
    ]
    answers = await asyncio.gather(*[store.storage.append(each) for each in entries])

    assert answers == [
        Appended(AppendStatus.NEW),
        Appended(AppendStatus.REPLAYED, outcomes=stored_items("first")),
        Appended(AppendStatus.CONFLICT),
    ]
    assert store.bodies() == [body(1)]


async def test_the_counters_balance(store: Store) -> None:
    await store.storage.append(entry(row(1), row(2), quarantined=(HELD,)))
    await store.storage.append(entry(row(2), row(3), idempotency=claim("k")))
    await store.storage.append(entry(row(2), row(3), idempotency=claim("k")))
    await store.storage.append(entry(row(4), project="q"))

    assert store.counts() == {"received": 8, "stored": 4, "duplicate": 3, "quarantined": 1}


async def test_a_closed_store_takes_nothing_and_is_not_healthy(store: Store) -> None:
    assert store.storage.healthy
    await store.storage.close()

    with pytest.raises(StorageUnavailable):
        await store.storage.append(entry(row(1)))
    assert not store.storage.healthy
