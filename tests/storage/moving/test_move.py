"""Moving a store: everything comes along, whatever the engines, and what was known before is known after."""

import asyncio
import contextlib
from pathlib import Path

import attrs
import pytest

from gateway.clock import now
from gateway.operate.moving.move import Move, MoveResult
from gateway.storage.engines import open_store
from gateway.storage.read import Position, export
from gateway.storage.store import Store, StoreSettings
from gateway.store_error import StoreError
from tests.kit.postgres.installation import INSTALLATIONS
from tests.storage.moving.filled import claimed, contents, entry, events, fill, mixed, receipts


async def move(source: str, target: str, said: list[str] | None = None) -> MoveResult:
    said = [] if said is None else said
    async with open_store(source).move_source() as old, open_store(target).move_target() as new:
        return await Move(old, new, said.append).run()


async def positions(store: Store) -> dict[bytes, Position]:
    """The position of each event, by its id."""
    async with store.log() as log:
        lines = [each async for page in export(log) for each in page.events]
    return {line.split(b'"m-')[1].split(b'"')[0]: position for position, line in lines}


async def receipt_ids(url: str) -> list[int]:
    async with open_store(url).move_source() as source:
        return [
            receipt.id
            async for batch in source.log([], await source.end(), await source.mark())
            for receipt in batch.receipts
        ]


@pytest.fixture
async def sqlite(tmp_path: Path) -> str:
    url = f"sqlite:{tmp_path / 'old'}"
    (tmp_path / "old").mkdir()
    await open_store(url).prepare()
    return url


@pytest.mark.parametrize("database", INSTALLATIONS, indirect=True)
async def test_a_round_trip_keeps_everything(sqlite: str, database: str, tmp_path: Path) -> None:
    back = f"sqlite:{tmp_path / 'back'}"
    await fill(open_store(sqlite))
    there = await move(sqlite, database)
    assert there.events == 57
    assert await contents(open_store(database)) == await contents(open_store(sqlite))
    ids = await receipt_ids(sqlite)
    assert await receipts(open_store(database), ids) == await receipts(open_store(sqlite), ids)
    assert await move(database, back) == there
    assert await contents(open_store(back)) == await contents(open_store(sqlite))
    assert await receipts(open_store(back), ids) == await receipts(open_store(sqlite), ids)
    assert await positions(open_store(back)) == await positions(open_store(sqlite))


async def test_whoever_was_first_in_postgresql_keeps_everything_too(
    prepared: str, database: str, tmp_path: Path
) -> None:
    there, back = f"sqlite:{tmp_path / 'there'}", database
    old = open_store(prepared)
    await fill(old, older=False)
    before, ids = await contents(old), await receipt_ids(prepared)
    await move(prepared, there)
    assert await contents(open_store(there)) == before
    assert await receipts(open_store(there), ids) == await receipts(old, ids)
    await move(there, back)
    assert await contents(open_store(back)) == before
    assert await receipts(open_store(back), ids) == await receipts(old, ids)
    assert await positions(open_store(back)) == await positions(old)


async def test_a_move_to_the_same_engine_keeps_the_positions(
    sqlite: str, prepared: str, database: str, tmp_path: Path
) -> None:
    for source, target in ((sqlite, f"sqlite:{tmp_path / 'new'}"), (prepared, database)):
        await fill(open_store(source))
        await move(source, target)
        assert await contents(open_store(target)) == await contents(open_store(source))
        assert await positions(open_store(target)) == await positions(open_store(source))


@pytest.fixture(params=["to PostgreSQL", "to SQLite"])
async def ways(request: pytest.FixtureRequest, tmp_path: Path, prepared: str, database: str) -> tuple[str, str]:
    """The URLs of a store that is prepared, and of one that does not exist yet."""
    if request.param == "to PostgreSQL":
        (tmp_path / "old").mkdir()
        found = f"sqlite:{tmp_path / 'old'}", database
    else:
        found = prepared, f"sqlite:{tmp_path / 'new'}"
    await open_store(found[0]).prepare()
    return found


async def test_an_old_position_is_another_name_of_the_new_one(ways: tuple[str, str]) -> None:
    source, target = map(open_store, ways)
    await fill(source)
    old = await positions(source)
    await move(*ways)
    new = await positions(target)
    async with target.log() as log:
        for name, position in old.items():
            named = log.parse_position(str(position))
            [(found, line)] = await log.at([named])
            assert (found, b'"m-%b"' % name in line) == (new[name], True)
            assert (await log.page(named)).positions == (await log.page(new[name])).positions
            assert (await log.page_back(named)).positions == (await log.page_back(new[name])).positions


async def test_what_was_sent_before_is_a_duplicate_after(ways: tuple[str, str]) -> None:
    source, target = map(open_store, ways)
    await fill(source)
    async with source.storage(StoreSettings()) as storage:
        first = await storage.append(claimed(70, 71))
    await move(*ways)
    async with target.storage(StoreSettings()) as storage:
        again = await storage.append(claimed(70, 71))
        assert (again, again.receipt) == (first, first.receipt)
        assert (await storage.append(entry(events(1, 39, 200)))).duplicates == (0, 1)
        quarantined = attrs.evolve(mixed(), rows=(), outcomes=())
        with_outcomes = attrs.evolve(quarantined, outcomes=mixed().outcomes[2:4])
        # One was replayed, so that an event has its key; the other is still there.
        assert (await storage.append(with_outcomes)).duplicates == (0, 1)
        dropped = await storage.append(attrs.evolve(entry(()), resolves=2))
        assert (dropped.status.value, (await storage.append(with_outcomes)).duplicates) == ("new", (0,))


async def test_a_move_that_is_finished_says_so_and_changes_nothing(ways: tuple[str, str]) -> None:
    source, target = map(open_store, ways)
    await fill(source)
    moved = await move(*ways)
    async with target.storage(StoreSettings()) as storage:
        await storage.append(entry(events(300)))
    before = await contents(target)
    assert await move(*ways) == attrs.evolve(moved, was_finished=True)
    assert await contents(target) == before


async def test_only_an_empty_store_is_filled(ways: tuple[str, str], tmp_path: Path) -> None:
    source, target = map(open_store, ways)
    await fill(source)
    await target.prepare() if target.directory is None else await fill_directory(target)
    async with target.keys(make=True) as keys:
        await keys.new_admin_token()
    async with target.storage(StoreSettings()) as storage:
        await storage.append(entry(events(1)))
    with pytest.raises(StoreError, match="is not empty: only a new"):
        await move(*ways)


async def fill_directory(store: Store) -> None:
    assert store.directory is not None
    store.directory.path.mkdir()
    await store.prepare()


async def test_nobody_writes_into_a_store_that_is_filled_in_part(ways: tuple[str, str]) -> None:
    source, target = map(open_store, ways)
    await fill(source)

    def interrupt(_count: int) -> None:
        raise KeyError

    async with source.move_source() as old, target.move_target() as new:
        with pytest.raises(KeyError):
            await Move(old, new, print, interrupt).run()
    with pytest.raises(StoreError, match="is not finished; run `gateway storage move` again to its end"):
        async with target.storage(StoreSettings()):
            pass
    await move(*ways)
    assert await contents(target) == await contents(source)


async def test_another_source_is_refused(ways: tuple[str, str], tmp_path: Path) -> None:
    await fill(open_store(ways[0]))
    await move(*ways)
    other = f"sqlite:{tmp_path / 'other'}"
    (tmp_path / "other").mkdir()
    await fill(open_store(other))
    with pytest.raises(StoreError, match="has been filled from another store"):
        await move(other, ways[1])


async def test_what_comes_while_it_is_moved_comes_along(ways: tuple[str, str]) -> None:
    source, target = map(open_store, ways)
    await fill(source)
    said: list[str] = []
    sent = 0
    async with contextlib.AsyncExitStack() as stack:
        if source.directory is not None:
            stack.enter_context(source.directory.lock())
        storage = await stack.enter_async_context(source.storage(StoreSettings()))
        moving = asyncio.create_task(move(*ways, said))
        while not said or sent < 200:
            await storage.append(entry(events(1000 + sent), at=now()))
            await storage.append(claimed(1000 + sent, at=now()))
            sent += 1
        assert not moving.done()
    moved = await moving
    assert moved.events == sent + 57
    assert await contents(target) == await contents(source)
