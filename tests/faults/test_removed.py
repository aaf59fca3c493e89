"""The data directory or its files removed or replaced under a running server: it says so, and accepts nothing."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.faults.lives import log_of, seconds_until, watched
from tests.faults.traffic import keys_of
from tests.kit.serving import PATIENCE, Served

WITHIN = 1.0  # seconds: what is promised, with room for a busy machine below
ROOM = 4.0
UNAVAILABLE = b'{"status":"error","message":"Analytics delivery temporarily unavailable"}'
GONE = "is gone (removed, moved or unmounted); nothing is accepted until it is back or the gateway was started again"
REPLACED = "was replaced by another file; nothing is accepted until it is back or the gateway was started again"


@pytest.fixture(params=[1, 2])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with watched(tmp_path / "data", "--workers", str(request.param)) as served:
        yield served


def send(served: Served, name: str) -> requests.Response:
    key = keys_of(served.greeting)["databuddy"]
    return requests.post(
        f"{served.url}/track", json={"name": name}, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
    )


def refused(served: Served) -> None:
    answer = send(served, "refused")
    assert (answer.status_code, answer.content, int(answer.headers["Retry-After"]) > 0) == (503, UNAVAILABLE, True)


def troubles(data: Path) -> list[str]:
    """Return what the log says of the store at the levels that somebody is woken for, without times and names.

    Whether the keys are looked for just while their file is gone, and warned about too, is a matter of chance.
    """
    lines = [line for line in log_of(data).splitlines() if " ERROR " in line or " WARNING " in line]
    lines = [line for line in lines if " gateway.storage.sqlite.keys.watch " not in line]
    return [line.partition("storage unavailable: ")[2] or line for line in lines]


def names(served: Served) -> set[str]:
    return {event["name"] for event in served.events()} - {"refused"}


def test_a_directory_that_is_moved_away_is_noticed_without_any_request_and_may_come_back(served: Served) -> None:
    assert send(served, "before").status_code == 200
    away = served.data.with_name("away")
    served.data.rename(away)
    assert seconds_until(served.url, 503) < WITHIN * ROOM
    refused(served)
    time.sleep(2.5)  # longer than two tries
    refused(served)
    assert requests.get(f"{served.url}/-/metrics", timeout=PATIENCE).status_code == 200
    assert troubles(served.data) == [f"{served.data}/events.db {GONE}"]
    away.rename(served.data)
    seconds_until(served.url, 200)
    assert send(served, "after").status_code == 200
    assert names(served) == {"before", "after"}
    assert served.stop() == 0


def test_a_removed_directory_is_503_and_stays_so_though_an_old_copy_takes_its_place(served: Served) -> None:
    assert send(served, "before").status_code == 200
    copy = served.data.with_name("copy")
    shutil.copytree(served.data, copy, ignore=shutil.ignore_patterns("*.sock"))
    shutil.rmtree(served.data)
    assert seconds_until(served.url, 503) < WITHIN * ROOM
    copy.rename(served.data)
    time.sleep(1.5)  # longer than one try
    refused(served)
    assert served.stop() == 0
    assert len(troubles(served.data)) == 1
    with watched(served.data) as again:
        assert requests.get(f"{again.url}/-/ready", timeout=PATIENCE).status_code == 200
        assert names(again) == {"before"}


def test_nothing_is_acknowledged_from_the_moment_on_in_which_another_log_stands_there(served: Served) -> None:
    assert send(served, "before").status_code == 200
    data = served.data
    shutil.copy(data / "events.db", data / "other.db")
    (data / "events.db").rename(data / "first.db")
    (data / "other.db").rename(data / "events.db")
    refused(served)  # at once: no time for a look in between
    seconds_until(served.url, 503)
    assert troubles(data)[0] in (f"{data}/events.db {GONE}", f"{data}/events.db {REPLACED}")
    (data / "first.db").rename(data / "events.db")
    seconds_until(served.url, 200)
    assert send(served, "after").status_code == 200
    assert names(served) == {"before", "after"}


def test_what_was_acknowledged_outlives_the_removal_of_sqlites_own_files(served: Served) -> None:
    assert [send(served, name).status_code for name in ("a", "b")] == [200, 200]
    for name in ("events.db-wal", "events.db-shm"):
        (served.data / name).unlink()
    assert seconds_until(served.url, 503) < WITHIN * ROOM
    refused(served)
    assert served.stop() == 0
    assert troubles(served.data) == [f"{served.data}/events.db-wal {GONE}"]
    with watched(served.data) as again:
        assert names(again) == {"a", "b"}


def test_a_link_that_leads_to_the_same_directory_is_the_same_directory(served: Served) -> None:
    moved = served.data.with_name("moved")
    served.data.rename(moved)
    served.data.symlink_to(moved)
    seconds_until(served.url, 200)
    assert send(served, "after").status_code == 200
    assert served.stop() == 0


def test_an_unmounted_disk_is_503_until_it_is_mounted_again(tmp_path: Path) -> None:
    disk, image = tmp_path / "disk", tmp_path / "image"
    disk.mkdir()
    image.mkdir()
    if subprocess.run(["mount", "--bind", image, disk], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here: it takes root")  # .ci/run fails on any skip
    try:
        with watched(disk / "data") as served:
            assert send(served, "before").status_code == 200
            subprocess.run(["umount", "-l", disk], check=True)
            assert seconds_until(served.url, 503) < WITHIN * ROOM
            refused(served)
            subprocess.run(["mount", "--bind", image, disk], check=True)
            seconds_until(served.url, 200)
            assert send(served, "after").status_code == 200
            assert names(served) == {"before", "after"}
    finally:
        subprocess.run(["umount", "-l", disk], capture_output=True, check=False)
