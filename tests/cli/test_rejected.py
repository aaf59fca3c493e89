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
from gateway.records.rejected_request import PendingRejection, RejectedRequest
from gateway.storage.postgres.connection.address import Address
from gateway.storage.postgres.connection.session import Session
from gateway.storage.rejected_log import STOP_SECONDS
from gateway.storage.sqlite.read.rejected import count_buckets, counts, rejected_requests
from gateway.storage.sqlite.rejected_file import rejected_log, upgrade
from gateway.testing.engine.given.rejections import rejection
from tests.kit.log_reading import awaited
from tests.kit.serving import PATIENCE, Served, run, serving

KEY = "dbdy_0123456789abcdef"
SITE_OF_BLOG = "0e1c3a5e-0000-4000-8000-0000000000cc"


async def written(
    folder: Path, *rounds: list[PendingRejection], most_bytes: int = 1 << 20, keep_seconds: float = 60.0
) -> None:
    waiting = rejected_log(DataDir(folder).rejected, most_bytes, keep_seconds, pause=3600)
    for notes in rounds:
        async with waiting.running():
            for note in notes:
                waiting.add(note)


def kept(folder: Path) -> list[tuple[int, object]]:
    return [(row["id"], row["project"]) for row in rejected_requests(DataDir(folder))]


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


async def test_a_file_that_cannot_be_written_is_nobodys_failure_and_the_counts_wait(tmp_path: Path) -> None:
    path = tmp_path / "none"
    waiting = rejected_log(DataDir(path).rejected, 1 << 20, 60.0, pause=0.01)
    async with waiting.running():
        waiting.add(rejection())
        await asyncio.sleep(0.1)
        path.mkdir()
    assert (kept(path), counts(DataDir(path))) == ([], [("shop", "toy", 1)])


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


def rewritten(url: str, change: str) -> None:
    """Change the kept requests, as damage or a kill would have."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(Path(url.removeprefix("sqlite:")) / "rejected.db")) as file, file:
            file.execute(f"UPDATE rejected SET {change}")
        return

    async def rewrite() -> None:
        session = Session(Address(url), "test")
        async with session.transaction() as db:
            await db.execute(f"UPDATE gateway.rejected SET {change}")
        await session.close()

    awaited(rewrite())


def test_refused_requests_are_listed_and_shown_without_secrets(tmp_path: Path, url: str) -> None:
    with serving(tmp_path / "data", storage=url) as served:
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
        everything = json.dumps(shown).encode() + b"".join(
            file.read_bytes() for file in (tmp_path / "data").glob("rejected.db*")
        )
        assert (KEY.encode() in everything, b"hush" in everything) == (False, False)


def test_a_refused_request_is_replayed_by_name_and_stored_once(tmp_path: Path, url: str) -> None:
    config = tmp_path / "window.toml"
    config.write_text("[dialects.databuddy]\ntrack_window = true\n")
    named, unnamed = {"name": "a", "eventId": "e-1", "timestamp": 1000}, {"name": "b", "timestamp": 2000}
    with serving(tmp_path / "data", "--config", str(config), storage=url) as served:
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
        rewritten(url, "replayed = NULL, dialect = 'gone'")
        gone = "the request came by a route that the installed dialects do not have"
        assert served.cli(*replay, str(ours["id"])) == f"{ours['id']}: {gone}\n"
        rewritten(url, "dialect = 'databuddy'")
        # As after a kill between the commit and the mark.
        rewritten(url, "replayed = NULL")
        assert served.cli(*replay, str(ours["id"])) == f"{ours['id']}: 0 stored, 2 already stored, 0 failed again\n"
        events = served.events()
        assert [(event["name"], event["project"], event["timestamp"]) for event in events] == [
            ("a", "shop", "1970-01-01T00:00:01.000Z"),
            ("b", "shop", "1970-01-01T00:00:02.000Z"),
        ]
        done = run(*replay, "--all", *served.place)
        said = "Error: replay rejected requests one at a time, by id: their clients may have sent them again"
        assert (done.returncode, done.stderr.splitlines()[-1]) == (2, said)
        done = run(*replay, "999999", *served.place)
        said = "Error: there is no rejected request 999999; see `gateway quarantine list --rejected`\n"
        assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_a_rejected_request_is_replayed_into_the_project_that_it_names_or_into_one_that_is_named_for_it(
    tmp_path: Path, url: str
) -> None:
    site, unknown = "0e1c3a5e-0000-4000-8000-0000000000aa", "0e1c3a5e-0000-4000-8000-0000000000bb"
    with serving(tmp_path / "data", storage=url) as served:
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
        done = run(*replay, "2", "--project", "blogg", *served.place)
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
            address = f"{served.url}/track?website_id={query}"
            assert requests.post(address, data=body, headers=evil, timeout=PATIENCE).status_code == 200
        assert len(served.events()) == 2


def adding(project: str, site: str) -> tuple[str, ...]:
    return ("--project", project, "--dialect", "databuddy", "--kind", "website", "--value", site)


def test_where_nothing_was_refused_nothing_is_listed(tmp_path: Path, url: str) -> None:
    with serving(tmp_path / "data", storage=url) as served:
        assert served.cli("quarantine", "list", "--rejected") == ""
        assert served.cli("quarantine", "list", "--refused") == ""


def test_no_word_that_a_client_shows_as_its_key_breaks_what_is_listed_and_replayed(tmp_path: Path, url: str) -> None:
    words = ("code", "detail", "null", "true", '"pointer":', "item", "origin", "kind", "[redacted]", "12345678")
    body = {"name": 5, "null": None, "a": [True, 12345678, "code"]}
    with serving(tmp_path / "data", storage=url) as served:
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
        for number, faults in enumerate(damages, start=1):
            rewritten(url, f"faults = '{faults}', query = '{{' WHERE id = {number}")
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
