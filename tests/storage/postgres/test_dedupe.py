"""Keys in generations: known for the whole window, forgotten after two, and never new to two gateways at a change."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.storage.contract import Appended, AppendStatus
from gateway.storage.engines import open_store
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Connection, Session
from gateway.storage.postgres.partitions import turn_over
from gateway.storage.postgres.write.dedupe import claim, insert_keys, known_keys
from gateway.storage.store import StoreSettings
from gateway.testing.engine.given.entries import claim as make_claim
from gateway.testing.engine.given.entries import entry, key, row

WINDOW = 7 * 86_400.0
NEW, SEEN = Appended(AppendStatus.NEW), Appended(AppendStatus.NEW, duplicates=(0,))


@pytest.fixture
async def session(prepared: str) -> AsyncIterator[Session]:
    opened = Session(Address(prepared), "test")
    yield opened
    await opened.close()


async def generation(session: Session) -> int:
    async with session.transaction() as db:
        return int(await db.fetchval("SELECT generation FROM gateway.state"))


async def age(session: Session, seconds: float) -> None:
    """Let the current generation be so much older."""
    async with session.transaction() as db:
        await db.execute("UPDATE gateway.state SET since = since - make_interval(secs => $1)", seconds)


async def turned(session: Session, *, overlap: bool) -> None:
    """Let the window pass, and begin the next generation; without `overlap`, its first minutes are over."""
    await age(session, WINDOW + 1)
    async with session.transaction() as db:
        await turn_over(db, WINDOW)
    if not overlap:
        await age(session, 601)


async def inserted(session: Session, *names: str) -> set[bytes]:
    """Insert keys in a transaction of their own; return those that are new."""
    async with session.transaction() as db:
        return await insert_keys(db, {key(name): "p" for name in names})


async def places(session: Session, name: str) -> list[int]:
    """Return the generations that a key lies in."""
    async with session.transaction() as db:
        rows = await db.fetch("SELECT generation FROM gateway.keys WHERE key = $1 ORDER BY 1", key(name))
    return [number for (number,) in rows]


async def partitions(session: Session) -> list[str]:
    async with session.transaction() as db:
        rows = await db.fetch(
            "SELECT inhrelid::regclass::text FROM pg_inherits "
            "WHERE inhparent IN ('gateway.keys'::regclass, 'gateway.claims'::regclass) ORDER BY 1"
        )
    return [name.removeprefix("gateway.") for (name,) in rows]


async def test_a_generation_turns_over_when_the_window_has_passed_and_not_before(session: Session) -> None:
    async with session.transaction() as db:
        await turn_over(db, WINDOW)
    assert (await generation(session), await partitions(session)) == (1, ["claims_1", "keys_1"])
    await turned(session, overlap=True)
    assert (await generation(session), await partitions(session)) == (2, ["claims_1", "claims_2", "keys_1", "keys_2"])
    async with session.transaction() as db:
        await turn_over(db, WINDOW)
    assert await generation(session) == 2
    await turned(session, overlap=True)
    assert (await generation(session), await partitions(session)) == (3, ["claims_2", "claims_3", "keys_2", "keys_3"])


@pytest.mark.parametrize("overlap", [False, True], ids=["later", "in the first minutes"])
async def test_a_key_of_the_generation_before_is_known_and_one_of_two_before_is_forgotten(
    session: Session, overlap: bool
) -> None:
    assert await inserted(session, "a", "b") == {key("a"), key("b")}
    await turned(session, overlap=overlap)
    assert await inserted(session, "a", "c") == {key("c")}
    await turned(session, overlap=overlap)
    assert await inserted(session, "b", "c") == {key("b")}


async def test_what_comes_in_the_first_minutes_lies_in_both_generations_and_later_in_one(session: Session) -> None:
    await turned(session, overlap=True)
    assert await inserted(session, "a") == {key("a")}
    assert (await places(session, "a"), await inserted(session, "a")) == ([1, 2], set())
    await age(session, 601)
    assert (await inserted(session, "a", "b"), await places(session, "b")) == ({key("b")}, [2])
    async with session.transaction() as db:
        assert await known_keys(db, [("p", key(name)) for name in "abc"]) == {key("a"), key("b")}


@pytest.mark.parametrize("first_commits", [True, False])
async def test_a_transaction_that_began_before_a_change_and_one_after_it_never_both_have_a_key(
    session: Session, prepared: str, first_commits: bool
) -> None:
    other = Session(Address(prepared), "other")
    async with other.transaction() as db:
        assert await insert_keys(db, {key("a"): "p"}) == {key("a")}
        await turned(session, overlap=True)  # it waits for no transaction that writes
        second = asyncio.create_task(inserted(session, "a"))
        await waits(db)
        if not first_commits:
            await db.execute("ROLLBACK; BEGIN")
    assert await second == (set() if first_commits else {key("a")})
    await other.close()


async def waits(db: Connection) -> None:
    """Return once another transaction waits for the one of this connection."""
    blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    async with asyncio.timeout(30):
        while await db.fetchval(blocked) == 0:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("overlap", [False, True], ids=["later", "in the first minutes"])
async def test_two_gateways_that_insert_the_same_keys_in_any_order_do_not_deadlock_and_each_key_is_new_once(
    session: Session, prepared: str, overlap: bool
) -> None:
    await turned(session, overlap=overlap)
    others = [Session(Address(prepared), f"test {number}") for number in range(4)]
    names = [str(number) for number in range(300)]

    async def inserts(number: int, session: Session) -> set[bytes]:
        found: set[bytes] = set()
        for start in range(0, 300, 50):
            part = names[start : start + 50]
            found |= await inserted(session, *(part if number % 2 else reversed(part)))
        return found

    found = await asyncio.gather(*[inserts(number, other) for number, other in enumerate(others)])
    assert sorted([each for part in found for each in part]) == sorted(map(key, names))
    for other in others:
        await other.close()


@pytest.mark.parametrize("overlap", [False, True], ids=["later", "in the first minutes"])
async def test_idempotency_keys_are_remembered_and_forgotten_with_their_generation(
    session: Session, overlap: bool
) -> None:
    async def known(name: str) -> bool:
        async with session.transaction() as db:
            return len(await claim(db, [entry(row("a"), idempotency=make_claim(name))])) == 1

    assert (await known("a"), await known("a")) == (False, True)
    await turned(session, overlap=overlap)
    assert (await known("a"), await known("b")) == (True, False)
    await turned(session, overlap=overlap)
    assert (await known("a"), await known("b")) == (False, True)


async def test_a_retry_after_a_change_of_the_generation_is_a_duplicate_with_the_first_answer(
    session: Session, prepared: str
) -> None:
    first = entry(row("a"), idempotency=make_claim("k"))
    async with open_store(prepared).storage(StoreSettings(window=WINDOW)) as storage:
        answer = await storage.append(first)
        await turned(session, overlap=True)
        again = await storage.append(first)
        assert (again.status, again.receipt, answer.status) == (AppendStatus.REPLAYED, answer.receipt, AppendStatus.NEW)
        assert await storage.append(entry(row("a"))) == SEEN
        assert await storage.append(entry(row("b"))) == NEW
        await age(session, 601)
        assert await storage.append(entry(row("b"))) == SEEN
        await turned(session, overlap=True)
        assert [await storage.append(entry(row(name))) for name in "ab"] == [NEW, SEEN]


async def test_a_change_that_forgets_and_a_group_that_is_written_wait_for_each_other_in_one_order(
    session: Session, prepared: str
) -> None:
    await turned(session, overlap=False)
    await age(session, WINDOW + 1)
    other = Session(Address(prepared), "other")

    async def change() -> None:
        async with other.transaction() as db:
            await turn_over(db, WINDOW)

    async with session.transaction() as db:
        assert await claim(db, [entry(row("a"), idempotency=make_claim("a"))]) == {}
        changing = asyncio.create_task(change())
        await waits(db)
        assert await insert_keys(db, {key("a"): "p"}) == {key("a")}
    await changing
    assert await partitions(session) == ["claims_2", "claims_3", "keys_2", "keys_3"]
    await other.close()
