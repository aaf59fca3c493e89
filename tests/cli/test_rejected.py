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
import pytest
import requests

from gateway.datadir import DataDir
from gateway.dialect import Reason, Refusal, Request
from gateway.records.rejected_request import PendingRejection, RejectedRequest
from gateway.storage.sqlite.read.rejected import count_buckets, counts, rejected_requests
from gateway.storage.sqlite.rejected_log import MAX_WAITING, STOP_SECONDS, RejectedRequestLog, upgrade
from tests.kit.fake_dialect import dialect
from tests.kit.serving import PATIENCE, Served, run, serving

KEY = "dbdy_0123456789abcdef"
SITE_OF_BLOG = "0e1c3a5e-0000-4000-8000-0000000000cc"


TOY = attrs.evolve(dialect, name="toy")


def rejection(
    project: str | None = "shop",
    *,
    items: int = 1,
    size: int = 1000,
    received_at: int | None = None,
    admitted: bool = True,
) -> PendingRejection:
    at = time.time_ns() // 1_000_000 if received_at is None else received_at
    return PendingRejection(
        project=project,
        dialect=TOY,
        items=items,
        route="r",
        request=Request("POST", "/x", {}, {}, b"x" * size, at),
        refusal=Refusal(Reason.INVALID, project=project, admitted=admitted and project is not None),
        credentials=(),
        status=400,
        request_id="r-1",
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


async def test_somebody_who_only_knows_a_public_id_cannot_push_them_out_either(tmp_path: Path) -> None:
    clients = [rejection(size=999) for _ in range(3)]
    await written(tmp_path, clients, [rejection(admitted=False) for _ in range(200)], most_bytes=20_000)
    assert kept(tmp_path) == [(number, "shop") for number in (1, 2, 3, *range(196, 204))]
    assert counts(DataDir(tmp_path)) == [("shop", "toy", 203)]


async def test_rejections_are_counted_by_minute_and_hour_too_until_they_expire(tmp_path: Path) -> None:
    hour = 1_699_999_200  # in seconds since the epoch
    directory = DataDir(tmp_path)

    def at(second: int, project: str | None = "shop", items: int = 1) -> PendingRejection:
        return rejection(project, items=items, received_at=(hour + second) * 1000)

    await written(tmp_path, [at(0), at(59), at(60), at(60, None, 3)], [at(3600), at(61)])
    assert count_buckets(directory, 60, 0) == [
        (hour, "shop", "toy", 2),
        (hour + 60, "", "toy", 3),
        (hour + 60, "shop", "toy", 2),
        (hour + 3600, "shop", "toy", 1),
    ]
    assert count_buckets(directory, 3600, hour) == [
        (hour, "", "toy", 3),
        (hour, "shop", "toy", 4),
        (hour + 3600, "shop", "toy", 1),
    ]
    assert count_buckets(directory, 3600, hour + 3600) == [(hour + 3600, "shop", "toy", 1)]
    two_days, long = 2 * 86_400, 401 * 86_400
    await written(tmp_path, [at(two_days + 120)])
    assert [start - hour for start, *_ in count_buckets(directory, 60, 0)] == [3600, two_days + 120]
    await written(tmp_path, [at(long)])
    assert [start - hour for start, *_ in count_buckets(directory, 3600, 0)] == [two_days, long]
    assert counts(directory) == [("", "toy", 3), ("shop", "toy", 7)]


async def test_a_file_of_the_version_before_is_read_as_it_is_and_upgraded_at_the_start(tmp_path: Path) -> None:
    directory = DataDir(tmp_path)
    await written(tmp_path, [rejection()])
    with closing(sqlite3.connect(directory.rejected)) as file, file:
        for column in ("credential_id", "origin", "request_id"):
            file.execute(f"ALTER TABLE rejected DROP COLUMN {column}")
        file.execute("DROP TABLE count_buckets")
        file.execute("PRAGMA user_version = 2")
    [before] = rejected_requests(directory)
    assert count_buckets(directory, 60, 0) == []
    upgrade(directory)
    upgrade(directory)
    assert list(rejected_requests(directory)) == [before]
    assert (before["project"], before["request_id"]) == ("shop", None)
    await written(tmp_path, [rejection()])
    assert [row["request_id"] for row in rejected_requests(directory)] == [None, "r-1"]


async def test_a_damaged_file_keeps_no_gateway_from_starting(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    DataDir(tmp_path).rejected.write_bytes(b"no database " * 100)
    upgrade(DataDir(tmp_path))
    [warning] = caplog.messages
    assert warning.endswith("rejected.db: file is not a database; rejected requests are only counted")


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
        nobodys = "its project is unknown: nothing in it was a known credential; choose one with --project"
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


def test_a_rejected_request_is_replayed_into_the_project_that_it_names_or_into_one_that_is_named_for_it(
    tmp_path: Path,
) -> None:
    site, unknown = "0e1c3a5e-0000-4000-8000-0000000000aa", "0e1c3a5e-0000-4000-8000-0000000000bb"
    with serving(tmp_path / "data") as served:
        where = ("--origin", "shop.example")
        [row] = served.cli("keys", "add", "--json", *adding("shop", site), *where).splitlines()
        served.add_key("databuddy", "website", "--value", SITE_OF_BLOG, project="blog")
        evil = {"Origin": "https://evil.example", "X-Request-Id": "r-1"}
        for number, query in enumerate((site, unknown)):
            body = json.dumps({"name": "seen", "eventId": f"e-{number}"})
            answer = requests.post(f"{served.url}/track?website_id={query}", data=body, headers=evil, timeout=PATIENCE)
            assert answer.status_code in (403, 404)
        booked, strangers = listed(served, 2)
        names = ("project", "credential_id", "origin", "request_id")
        assert [[each[name] for name in names] for each in (booked, strangers)] == [
            ["shop", json.loads(row)["id"], "https://evil.example", "r-1"],
            [None, None, "https://evil.example", "r-1"],
        ]
        shown = json.loads(served.cli("quarantine", "show", "1", "--rejected"))
        assert [shown[name] for name in names] == [booked[name] for name in names]

        replay = ("quarantine", "replay", "--rejected")
        nobodys = "2: its project is unknown: nothing in it was a known credential; choose one with --project\n"
        assert served.cli(*replay, "2") == nobodys
        assert served.cli(*replay, "1", "--project", "blog") == "1: it belongs to project shop, not to blog\n"
        done = run(*replay, "2", "--project", "blogg", "--data", str(served.data))
        said = "Error: there is no project 'blogg'; did you mean blog?\n"
        assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
        assert served.cli(*replay, "1") == "1: 1 stored, 0 already stored, 0 failed again\n"
        stored = "1 stored, 0 already stored, 0 failed again, in project blog"
        assert served.cli(*replay, "2", "--project", "blog") == f"2: {stored}\n"
        assert served.cli(*replay, "2", "--project", "shop") == f"2: already replayed: {stored}\n"
        assert [(event["project"], event["message_id"]) for event in served.events()] == [
            ("shop", "e-0"),
            ("blog", "e-1"),
        ]

        # Once key and origin are right, a retry of either is known.
        served.cli("keys", "add", "--json", *adding("shop", site), "--origin", "evil.example")
        served.add_key("databuddy", "website", "--value", unknown, project="blog")
        time.sleep(2.5)
        for number, query in enumerate((site, unknown)):
            body = json.dumps({"name": "seen", "eventId": f"e-{number}"})
            url = f"{served.url}/track?website_id={query}"
            assert requests.post(url, data=body, headers=evil, timeout=PATIENCE).status_code == 200
        assert len(served.events()) == 2


def adding(project: str, site: str) -> tuple[str, ...]:
    return ("--project", project, "--dialect", "databuddy", "--kind", "website", "--value", site)


def test_where_nothing_was_refused_nothing_is_listed(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as served:
        assert served.cli("quarantine", "list", "--rejected") == ""
        assert served.cli("quarantine", "list", "--refused") == ""


def test_no_word_that_a_client_shows_as_its_key_breaks_what_is_listed_and_replayed(tmp_path: Path) -> None:
    words = ("code", "detail", "null", "true", '"pointer":', "item", "origin", "kind", "[redacted]", "12345678")
    body = {"name": 5, "null": None, "a": [True, 12345678, "code"]}
    with serving(tmp_path / "data") as served:
        served.add_key("databuddy", "website", "--value", SITE_OF_BLOG, project="blog")
        for word in words:
            assert sent(served, f"/track?website_id={SITE_OF_BLOG}", body, key=word, **{"x-api-key": word}) == 400
            assert sent(served, "/v1/events", body, key=word) == 401
        rows = listed(served, 2 * len(words))
        assert {row["reason"] for row in rows} == {"invalid", "unknown_credential"}
        assert [row for row in rows if "unreadable" in row] == []
        shown = [json.loads(served.cli("quarantine", "show", str(row["id"]), "--rejected")) for row in rows]
        kept = [json.loads(each["request"]["body"]) for each in shown]
        assert [(each["name"], each["a"][:2], len(each)) for each in kept] == [(5, [True, 12345678], 3)] * len(kept)
        [again] = served.cli("quarantine", "replay", "--rejected", str(rows[0]["id"])).splitlines()[:1]
        assert again == f"{rows[0]['id']}: 0 stored, 0 already stored, 1 failed again"

        damages = ('[{"[redacted]": "origin", "pointer": "", "detail": {}}]', '[{"code": "a", ', "7")
        with closing(sqlite3.connect(tmp_path / "data" / "rejected.db")) as file, file:
            for number, faults in enumerate(damages, start=1):
                file.execute("UPDATE rejected SET faults = ?, query = '{' WHERE id = ?", (faults, number))
        damaged = listed(served, len(rows))[:4]
        assert [row["faults"] for row in damaged] == [*damages, rows[3]["faults"]]
        assert [str(row.get("unreadable"))[:22] for row in damaged] == [*["this record is damaged"] * 3, "None"]
        assert json.loads(served.cli("quarantine", "show", "1", "--rejected"))["request"]["query"] == "{"
        assert sent(served, f"/track?website_id={SITE_OF_BLOG}", b"[%s{}]" % (b"{}," * 20_000), key="") == 413
        last = listed(served, len(rows) + 1)[-1]["id"]
        again = served.cli("quarantine", "replay", "--rejected", str(last), "--project", "blog")
        assert again == f"{last}: it would be rejected again: too_large\n"

        damaged_request = "1: what was kept of the request is damaged\n"
        booked = served.cli("quarantine", "replay", "--rejected", "1", "--project", "blog")
        assert booked == damaged_request


class Slow(PendingRejection):
    """A rejection that takes longer to prepare than a stop may wait for."""

    def record(self) -> RejectedRequest:
        time.sleep(0.1)
        return super().record()


async def test_a_stop_does_not_wait_for_all_that_waits_and_counts_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    waiting: list[PendingRejection] = [Slow(**attrs.asdict(rejection(), recurse=False)) for _ in range(200)]
    started = time.monotonic()
    await written(tmp_path, waiting)
    assert time.monotonic() - started < 3 * STOP_SECONDS
    assert (0 < len(kept(tmp_path)) < 200, counts(DataDir(tmp_path))) == (True, [("shop", "toy", 200)])
    [said] = caplog.messages
    assert said == f"the server stops: {200 - len(kept(tmp_path))} rejected requests are counted, but not kept"
