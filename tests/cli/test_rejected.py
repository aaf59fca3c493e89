"""The ring of refused requests: written behind the answers, bounded, told without secrets, replayed by name."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import requests

from gateway.datadir import DataDir
from gateway.dialect import Reason, Refusal, Request, Submission
from gateway.records.rejected_request import PendingRejection
from gateway.storage.sqlite.read.rejected import counts, rejected_requests
from gateway.storage.sqlite.rejected_log import MAX_WAITING, RejectedRequestLog
from tests.kit.fake_dialect import dialect
from tests.kit.serving import PATIENCE, Served, run, serving

KEY = "dbdy_0123456789abcdef"


TOY = attrs.evolve(dialect, name="toy")


def rejection(
    project: str | None = "shop", *, items: int = 1, size: int = 1000, received_at: int | None = None
) -> PendingRejection:
    at = time.time_ns() // 1_000_000 if received_at is None else received_at
    return PendingRejection(
        project=project,
        dialect=TOY,
        items=items,
        route="r",
        request=Request("POST", "/x", {}, {}, b"x" * size, at),
        refusal=Refusal(Reason.INVALID),
        submission=Submission(),
        status=400,
    )


async def written(
    folder: Path, *rounds: list[PendingRejection], most_bytes: int = 1 << 20, keep_seconds: float = 60.0
) -> None:
    rejected_log = RejectedRequestLog(DataDir(folder).rejected, most_bytes, keep_seconds, pause=3600)
    for notes in rounds:
        async with rejected_log.running():
            for note in notes:
                rejected_log.add(note)


def kept(folder: Path) -> list[tuple[int, object]]:
    return [(row["id"], row["project"]) for row in rejected_requests(DataDir(folder))]


async def test_strangers_cannot_push_out_what_clients_did_wrong(tmp_path: Path) -> None:
    path = tmp_path
    ours, strangers = [rejection() for _ in range(3)], [rejection(None) for _ in range(200)]
    await written(path, ours, strangers, strangers, most_bytes=20_000)

    rows = kept(path)
    assert rows[:3] == [(1, "shop"), (2, "shop"), (3, "shop")]
    assert [project for _, project in rows[3:]] == [None] * 8
    assert rows[-1] == (403, None)
    assert counts(DataDir(path)) == [("", "toy", 400), ("shop", "toy", 3)]


async def test_what_is_too_old_goes(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    old, young = [rejection(received_at=now - 61_000)] * 700, [rejection(received_at=now - 1000)]
    for part in (old[:240], old[:240], young):
        await written(tmp_path, part, most_bytes=1 << 30)
    assert [number for number, _ in kept(tmp_path)] == [481]


async def test_what_comes_faster_than_it_is_written_is_counted_and_not_kept(tmp_path: Path) -> None:
    await written(tmp_path, [rejection(items=2) for _ in range(1000)], most_bytes=1 << 30)
    assert len(kept(tmp_path)) == MAX_WAITING
    assert counts(DataDir(tmp_path)) == [("shop", "toy", 2000)]


async def test_a_ring_without_room_only_counts(tmp_path: Path) -> None:
    await written(tmp_path, [rejection()], most_bytes=0)
    assert (kept(tmp_path), counts(DataDir(tmp_path))) == ([], [("shop", "toy", 1)])


async def test_a_file_that_cannot_be_written_is_nobodys_failure_and_the_counts_wait(tmp_path: Path) -> None:
    path = tmp_path / "none"
    rejected_log = RejectedRequestLog(DataDir(path).rejected, 1 << 20, 60.0, pause=0.01)
    async with rejected_log.running():
        rejected_log.add(rejection())
        await asyncio.sleep(0.1)
        path.mkdir()
    assert (kept(path), counts(DataDir(path))) == ([], [("shop", "toy", 1)])


async def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    await asyncio.gather(*[written(tmp_path, [rejection() for _ in range(100)]) for _ in range(4)])
    assert len(kept(tmp_path)) == 400


def listed(served: Served, count: int) -> list[dict[str, Any]]:
    """Return what is listed once it is so many."""
    deadline = time.monotonic() + PATIENCE
    while True:
        rows = [json.loads(line) for line in served.cli("quarantine", "list", "--rejected").splitlines()]
        if len(rows) >= count or time.monotonic() > deadline:
            assert len(rows) == count
            return rows


def sent(served: Served, path: str, body: object, key: str = KEY, **more: str) -> int:
    headers: Mapping[str, str] = {"Authorization": f"Bearer {key}", **more}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(served.url + path, data=data, headers=headers, timeout=PATIENCE).status_code


def test_refused_requests_are_listed_and_shown_without_secrets(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        served.add_key("databuddy", "api_key", "--value", KEY, project="shop")
        assert sent(served, "/track", {"name": 5, "k": KEY}) == 400
        assert sent(served, "/track", {"name": "a", "token": "hush-1"}, key="dbdy_hush-2") == 401
        assert sent(served, "/nowhere", {}) == 404
        assert sent(served, "/api/v1/track", b'{"apiKey":"hush-3') == 400
        rows = listed(served, 4)
        told = [(row["project"], row["dialect"], row["route"], row["reason"], row["status"]) for row in rows]
        assert sorted(told, key=str) == [
            ("shop", "databuddy", "track", "invalid", 400),
            (None, "browsee", "track", "no_credential", 400),
            (None, "databuddy", "track", "no_credential", 401),
            (None, "databuddy", None, "not_found", 404),
        ]
        [ours] = [row for row in rows if row["project"] == "shop"]
        fault = {"code": "type", "pointer": "/name", "detail": {"expected": "string", "received": "number"}, "item": 0}
        assert ours["faults"] == [{**fault, "sentence": "/name must be string, not number"}]
        assert [json.loads(line) for line in served.cli("quarantine", "list", "--refused").splitlines()] == rows
        shown = [json.loads(served.cli("quarantine", "show", str(row["id"]), "--rejected")) for row in rows]
        bodies = sorted(each["request"]["body"] for each in shown)
        blank = "[redacted]"
        expected = [json.dumps({"name": "a", "token": blank}), json.dumps({"name": 5, "k": blank})]
        assert bodies == sorted(["", *expected, f'{{"apiKey":"{blank}"'])
        assert served.stop() == 0
        everything = b"".join(file.read_bytes() for file in (tmp_path / "data").glob("rejected.db*"))
        assert (KEY.encode() in everything, b"hush" in everything) == (False, False)


def test_a_refused_request_is_replayed_by_name_and_stored_once(tmp_path: Path) -> None:
    config = tmp_path / "window.toml"
    config.write_text("[dialects.databuddy]\ntrack_window = true\n")
    named, unnamed = {"name": "a", "eventId": "e-1", "timestamp": 1000}, {"name": "b", "timestamp": 2000}
    with serving(tmp_path / "data", "--config", str(config)) as served:
        served.add_key("databuddy", "api_key", "--value", KEY, project="shop")
        assert sent(served, "/track", [named, unnamed]) == 400
        assert sent(served, "/track", [named], key="dbdy_wrong") == 401
        ours, strangers = sorted(listed(served, 2), key=lambda row: row["project"] is None)
        replay = ("quarantine", "replay", "--rejected")
        first = served.cli(*replay, str(ours["id"]))
        assert first == f"{ours['id']}: 2 stored, 0 already stored, 0 failed again\n"
        again = served.cli(*replay, str(ours["id"]))
        assert again == f"{ours['id']}: already replayed: 2 stored, 0 already stored, 0 failed again\n"
        nobodys = "its project is unknown: it was rejected before a valid credential was found"
        assert served.cli(*replay, str(strangers["id"])) == f"{strangers['id']}: {nobodys}\n"
        with closing(sqlite3.connect(tmp_path / "data" / "rejected.db")) as file, file:
            file.execute("UPDATE rejected SET replayed = NULL, dialect = 'gone'")
        gone = "the request came by a route that the installed dialects do not have"
        assert served.cli(*replay, str(ours["id"])) == f"{ours['id']}: {gone}\n"
        with closing(sqlite3.connect(tmp_path / "data" / "rejected.db")) as file, file:
            file.execute("UPDATE rejected SET dialect = 'databuddy'")
        # As after a kill between the commit and the mark.
        with closing(sqlite3.connect(tmp_path / "data" / "rejected.db")) as file, file:
            file.execute("UPDATE rejected SET replayed = NULL")
        assert served.cli(*replay, str(ours["id"])) == f"{ours['id']}: 0 stored, 2 already stored, 0 failed again\n"
        events = served.events()
        assert [(event["name"], event["project"], event["timestamp"]) for event in events] == [
            ("a", "shop", "1970-01-01T00:00:01.000Z"),
            ("b", "shop", "1970-01-01T00:00:02.000Z"),
        ]
        done = run(*replay, "--all", "--data", str(served.data))
        said = "Error: replay rejected requests one at a time, by id: their clients may have sent them again"
        assert (done.returncode, done.stderr.splitlines()[-1]) == (2, said)
        done = run(*replay, "99", "--data", str(served.data))
        said = "Error: there is no rejected request 99; see `gateway quarantine list --rejected`\n"
        assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_where_nothing_was_refused_nothing_is_listed(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        assert served.cli("quarantine", "list", "--rejected") == ""
        assert served.cli("quarantine", "list", "--refused") == ""
