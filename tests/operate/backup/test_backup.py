"""A backup has everything that a store has, on either engine, and what was known before is known after a restore."""

import asyncio
import gzip
import hashlib
import json
import tarfile
from pathlib import Path

import attrs
import pytest

from gateway.operate.backup.verify import verify
from gateway.storage.engines import open_store
from gateway.storage.store import Backup, StoreSettings
from gateway.testing.engine.given.filled import FILE, NOW, claimed, contents, entry, events, fill, mixed, receipts
from gateway.testing.engine.given.moves import receipt_ids
from gateway.testing.engine.given.reading import positions_of
from tests.operate.backup.making import made, new_sqlite, restored

COUNTS = {
    "backups": 1,
    "claims": 1,
    "counter_buckets": 26,
    "counters": 7,
    "credential_uses": 1,
    "credentials": 5,
    "events": 57,
    "facts": 4,
    "files": 1,
    "quarantine": 1,
    "receipts": 11,
    "rejected": 2,
    "rejected_buckets": 4,
    "rejected_counts": 2,
    "secrets": 2,
    "settled": 1,
}


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def source(request: pytest.FixtureRequest, tmp_path: Path, prepared: str) -> str:
    """The URL of a store that has some of everything."""
    url = await new_sqlite(tmp_path / "old") if request.param == "SQLite" else prepared
    await fill(open_store(url))
    return url


async def test_a_restored_store_has_everything_and_knows_every_key_and_on_its_own_engine_the_same_positions(
    source: str, database: str, tmp_path: Path
) -> None:
    file, old = tmp_path / "a.tar", open_store(source)
    before, ids, places = await contents(old), await receipt_ids(source), await positions_of(old)
    backup = await made(source, file)
    assert verify(file, lambda _events, _share: None) == backup
    assert (await contents(old), file.stat().st_size, file.stat().st_mode & 0o777) == (before, backup.bytes, 0o600)
    for target in (f"sqlite:{tmp_path / 'new'}", database):
        assert await restored(file, target) == backup
        new = open_store(target)
        assert await contents(new) == before
        assert await receipts(new, ids) == await receipts(old, ids)
        is_same_engine = (new.directory is None) == (old.directory is None)
        found = await positions_of(new)
        assert (found == places) is is_same_engine
        async with new.log() as log:
            for name, place in places.items():
                [(position, _)] = await log.at([log.parse_position(str(place))])
                assert position == found[name]
        await knows_what_was_sent(target)


async def knows_what_was_sent(url: str) -> None:
    async with open_store(url).storage(StoreSettings()) as storage:
        again = await storage.append(claimed(70, 71))
        assert (again.status.value, len(again.outcomes), again.receipt > 0) == ("replayed", 2, True)
        assert (await storage.append(entry(events(1, 39, 200)))).duplicates == (0, 1)
        quarantined = attrs.evolve(mixed(), rows=(), outcomes=mixed().outcomes[2:4])
        # One was replayed, so that an event has its key; the other is still there.
        assert (await storage.append(quarantined)).duplicates == (0, 1)
        dropped = await storage.append(attrs.evolve(entry(()), resolves=2))
        assert (dropped.status.value, (await storage.append(quarantined)).duplicates) == ("new", (0,))


async def test_the_store_remembers_a_backup_from_its_beginning_and_so_does_what_is_restored(
    source: str, tmp_path: Path
) -> None:
    file, target = tmp_path / "a.tar", f"sqlite:{tmp_path / 'new'}"
    await made(source, file)
    backup = Backup(name=str(file), made_at=NOW, events=57)
    assert await open_store(source).backups() == [backup]
    await restored(file, target)
    assert await open_store(target).backups() == [attrs.evolve(backup, events=None)]


async def test_the_rejected_requests_come_along_only_if_asked_but_their_counts_always(tmp_path: Path) -> None:
    source, target = await new_sqlite(tmp_path / "old"), f"sqlite:{tmp_path / 'new'}"
    await fill(open_store(source))
    backup = await made(source, tmp_path / "a.tar", with_rejected=False)
    await restored(tmp_path / "a.tar", target)
    before, after = await contents(open_store(source)), await contents(open_store(target))
    assert backup.counts == {name: count for name, count in COUNTS.items() if name != "rejected"} | {
        "counter_buckets": backup.counts["counter_buckets"]
    }
    assert after == before | {"rejected": [], "one rejected": []}


async def test_the_file_is_read_without_the_gateway_too(tmp_path: Path) -> None:
    source, file = await new_sqlite(tmp_path / "old"), tmp_path / "a.tar"
    await fill(open_store(source))
    backup = await made(source, file)
    found: dict[str, list[object]] = {}
    with tarfile.open(file) as archive:
        names = archive.getnames()
        for name in names[1:-1]:
            content = archive.extractfile(name)
            assert content is not None
            rows = map(json.loads, gzip.decompress(content.read()).splitlines())
            found.setdefault(name.split(".")[1], []).extend(rows)
        head, end = (json.load(archive.extractfile(name) or pytest.fail(name)) for name in (names[0], names[-1]))
        start_of_end = archive.getmember("end.json").offset
    assert (names[0], names[1], names[-1]) == ("backup.json", "00000001.events.jsonl.gz", "end.json")
    assert (head["format"], head["version"], head["source"]) == ("gateway-backup", 1, str(tmp_path / "old"))
    assert end["counts"] == backup.counts == COUNTS | {"counter_buckets": backup.counts["counter_buckets"]}
    assert end["sha256"] == hashlib.sha256(file.read_bytes()[:start_of_end]).hexdigest()
    async with open_store(source).log() as log:
        assert found["events"] == [json.loads(line) for line in (await log.page()).lines]
    assert found["files"] == [["shop", hashlib.sha256(FILE).hexdigest(), 0, 1, {"base64": "YSBmaWxl"}]]


async def test_an_empty_store_has_a_backup_too(tmp_path: Path) -> None:
    source, target = await new_sqlite(tmp_path / "old"), f"sqlite:{tmp_path / 'new'}"
    async with open_store(source).storage(StoreSettings()):
        pass
    backup = await made(source, tmp_path / "a.tar")
    assert backup.counts == {"backups": 1, "facts": COUNTS["facts"], "secrets": 1}
    assert await restored(tmp_path / "a.tar", target) == backup
    assert await contents(open_store(target)) == await contents(open_store(source))


async def test_two_backups_of_one_moment_are_made_side_by_side(tmp_path: Path) -> None:
    source = await new_sqlite(tmp_path / "old")
    await fill(open_store(source))
    one, two = await asyncio.gather(made(source, tmp_path / "a.tar"), made(source, tmp_path / "b.tar"))
    assert (one.counts["events"], two.counts["events"], one.digest != two.digest) == (57, 57, True)
