"""Saved filters: whatever becomes of their file and of the log, every key of the log is known after a start."""

import os
import shutil
from pathlib import Path

import pytest

from gateway.datadir import make
from gateway.storage.contract import Broken
from gateway.storage.sqlite.dedupe.filter_file import NAME, UNFINISHED
from gateway.testing.engine.given.entries import entry
from tests.storage.sqlite.logs import RECEIVED, WINDOW, Log, backed_up, files, row, settings
from tests.storage.stores import Clock, opened, query


def test_keys_from_before_a_save_and_after_it_are_known_after_a_kill(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock()))
    log.append(range(500))
    log.save()
    for number in range(500, 600):  # some are flushed just after the save, some are not when the kill comes
        log.append([number])
    log.append(range(600, 900))
    log = log.killed(tmp_path / "second")
    assert (log.from_file, log.append(range(910))) == (True, list(range(900)))
    log = log.killed(tmp_path / "third")  # the same file once more
    assert (log.from_file, log.append(range(920))) == (True, list(range(910)))


def test_a_clean_stop_saves_the_filters_where_enough_keys_are_in_no_file(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock(), save_every=200))
    log.append(range(99))
    log = log.stopped()
    assert (log.from_file, log.append([99])) == (False, [])
    log = log.stopped()
    [first] = files(tmp_path / "data")
    log.append(range(100, 199))
    log = log.stopped()
    assert files(tmp_path / "data") == [first]
    log.append([199])
    log = log.stopped()
    [second] = files(tmp_path / "data")
    assert (second != first, log.from_file, log.append(range(200))) == (True, True, list(range(200)))


def test_a_kill_while_the_filters_are_saved_leaves_the_file_before(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock()))
    log.append(range(300))
    log.save()
    log.append(range(300, 600))
    [before] = [path.name for path in files(tmp_path / "data")]
    save = log.writer.begin_save()
    (tmp_path / "data" / UNFINISHED).write_bytes(b"half a filter")
    log = log.killed(tmp_path / "half")
    assert ([path.name for path in files(tmp_path / "half")], log.from_file) == ([before], True)
    assert log.append(range(610)) == list(range(600))

    log.append(range(610, 700))
    save = log.writer.begin_save()
    save.write()  # whole and on disk, but the database does not name it yet
    assert len(files(tmp_path / "half")) == 2
    log = log.killed(tmp_path / "whole")
    assert ([path.name for path in files(tmp_path / "whole")], log.from_file) == ([before], True)
    assert log.append(range(710)) == list(range(700))


def test_keys_that_are_committed_while_the_filters_are_written_are_known(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock()))
    log.append(range(100))
    save = log.writer.begin_save()
    log.append(range(100, 500))  # the filter grows meanwhile, and the memtable is flushed many times
    save.write()
    log.append(range(500, 600))
    log.writer.end_save(save)
    log = log.killed(tmp_path / "second")

    assert (log.from_file, log.append(range(610))) == (True, list(range(600)))


@pytest.mark.parametrize("damage", ["missing", "short", "changed"])
def test_without_its_file_every_key_is_read_again(tmp_path: Path, damage: str) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock()))
    log.append(range(500))
    log.save()
    [file] = files(tmp_path / "data")
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(whole[:-1] if damage == "short" else bytes(len(whole)))
    log = log.killed(tmp_path / "second")

    assert (log.from_file, files(tmp_path / "second")) == (False, [])
    assert log.append(range(510)) == list(range(500))


def test_a_folder_in_the_place_of_the_file_takes_no_descriptor(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock()))
    log.append(range(100))
    log.save()
    [file] = files(tmp_path / "data")
    file.unlink()
    file.mkdir()
    log = log.stopped()
    before = len(os.listdir("/proc/self/fd"))
    log = log.stopped()

    assert (log.from_file, len(os.listdir("/proc/self/fd")), log.append(range(110))) == (
        False,
        before,
        list(range(100)),
    )


def test_a_restored_backup_does_not_use_the_newer_file_beside_it(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock()))
    log.append(range(100))
    log.save()
    log.append(range(100, 200))
    backed_up(log, tmp_path / "backup.db")
    log.append(range(200, 300))
    log.save()
    [newer] = files(tmp_path / "data")
    log.writer.connection.close()

    restored = make(tmp_path / "restored")
    shutil.copy(tmp_path / "backup.db", restored.events)
    shutil.copy(newer, restored.path)
    log = Log(restored, log.settings)
    assert (log.from_file, log.append(range(1000, 1400))) == (False, [])
    # Now its log is longer than the one that the file is of, and has other keys.
    shutil.copy(newer, restored.path)
    log = log.killed(tmp_path / "again")
    assert log.from_file is False
    assert log.append([*range(250), *range(1000, 1410)]) == [*range(200), *range(1000, 1400)]


def test_a_restored_backup_uses_the_file_that_was_saved_before_it(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock()))
    log.append(range(300))
    log.save()
    log.append(range(300, 400))
    [file] = files(tmp_path / "data")
    restored = make(tmp_path / "restored")
    backed_up(log, restored.events)
    shutil.copy(file, restored.path)
    log = Log(restored, log.settings)

    assert (log.from_file, log.append(range(410))) == (True, list(range(400)))


def test_a_file_is_not_used_where_the_end_of_its_log_was_deleted_by_hand(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock()))
    log.append(range(100))
    for number in range(100, 115):
        log.append([number])
    log.save()
    log.writer.connection.execute("DELETE FROM log WHERE last > 110")
    log = log.killed(tmp_path / "second")

    assert (log.from_file, files(tmp_path / "second")) == (False, [])
    assert log.append(range(115)) == list(range(110))


def test_a_rotation_makes_the_file_useless_and_a_save_that_has_begun_too(tmp_path: Path) -> None:
    clock = Clock()
    log = Log(make(tmp_path / "data"), settings(clock))
    log.append(range(300))
    log.save()
    log.append(range(300, 400))
    save = log.writer.begin_save()
    save.write()
    clock.now += WINDOW
    log.append(range(400, 450))
    log.writer.end_save(save)
    log.append(range(450, 600))
    assert (files(tmp_path / "data"), query(tmp_path / "data", "SELECT * FROM meta WHERE name = 'filters'")) == ([], [])
    log.save()
    log.append(range(600, 700))
    log = log.killed(tmp_path / "second")
    assert (log.from_file, log.writer.known_keys.previous is not None) == (True, True)
    assert log.append(range(710)) == list(range(700))


def test_keys_whose_events_were_deleted_after_the_save_are_known(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock(), keep_events=10.0))
    log.append(range(100))
    log.save()
    for number in range(100, 400):
        log.append([number], RECEIVED + number)
    for number in range(100):
        log.append([], RECEIVED + 60_000 + number)
    assert query(tmp_path / "data", "SELECT count(*) FROM log") == [(0,)]
    log = log.killed(tmp_path / "second")

    assert (log.from_file, log.append(range(410))) == (True, list(range(400)))


def test_a_file_that_an_older_gateway_left_is_removed(tmp_path: Path) -> None:
    log = Log(make(tmp_path / "data"), settings(Clock()))
    log.append(range(100))
    (tmp_path / "data" / NAME).write_bytes(b"as version 0.1.0 wrote it")
    log = log.killed(tmp_path / "second")

    assert (files(tmp_path / "second"), log.append(range(110))) == ([], list(range(100)))


async def test_the_engine_saves_the_filters_beside_the_commits(tmp_path: Path) -> None:
    async with opened(tmp_path / "data", max_memtable_keys=10, save_every=50) as (storage, engine):
        for number in range(60):
            await storage.append(entry(row(number)))
        assert engine._save is not None
        await engine._save
        shutil.copytree(tmp_path / "data", tmp_path / "killed", ignore=shutil.ignore_patterns("*-shm"))
    async with opened(tmp_path / "killed", max_memtable_keys=10, save_every=50) as (storage, engine):
        from_file = engine._log_writer.known_keys._saved_at > 0
        known = (await storage.append(entry(*[row(number) for number in range(70)]))).duplicates

    assert (from_file, known) == (True, tuple(range(60)))


async def test_filters_that_cannot_be_saved_stop_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(tmp_path, max_memtable_keys=10, save_every=50) as (storage, engine):
        (tmp_path / UNFINISHED).mkdir()
        for number in range(120):
            await storage.append(entry(row(number)))
        assert engine._save is not None
        await engine._save
    async with opened(tmp_path, max_memtable_keys=10) as (storage, _):
        known = (await storage.append(entry(*[row(number) for number in range(130)]))).duplicates

    assert known == tuple(range(120))
    assert {record.getMessage().partition(":")[0] for record in caplog.records} == {
        "the filters of known ids cannot be saved"
    }


async def test_a_connection_that_failed_when_the_file_was_to_be_named_is_opened_anew(tmp_path: Path) -> None:
    async with opened(tmp_path, max_memtable_keys=10, save_every=50) as (_, engine):
        await engine.commit([entry(*[row(number) for number in range(60)])])
        await engine.run(lambda connection: connection.execute("PRAGMA query_only = ON").fetchall())
        assert engine._save is not None
        await engine._save
        await engine.run(lambda connection: connection.execute("PRAGMA query_only = OFF").fetchall())
        with pytest.raises(Broken, match="attempt to write a readonly database"):
            await engine.commit([entry(row(60))])
        await engine.reopen()
        appended = await engine.commit([entry(*[row(number) for number in range(65)])])

    assert appended[0].duplicates == tuple(range(60))
