"""Events made anew from the requests that were kept: alike where nothing changed, told field by field where it did."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import aiohttp
import attrs
import pytest

from gateway.datadir import find
from gateway.records.raw_request import RawRequest, compress, decompress
from gateway.storage.sqlite.read.raw_requests import kept_requests, rewrite
from gateway.storage.sqlite.read.reader import Reader
from tests.cli.test_quarantine import track
from tests.idempotency.endpoints import WAYS, add_keys, send
from tests.kit.serving import run, serving
from tests.storage.stores import entry, opened, row

KEEPING = {"GATEWAY_KEEP_RAW_DAYS": "1"}


def test_a_request_is_packed_and_comes_back_as_it_was() -> None:
    for body in (b"", b"\n\n", b"\xff" * 100):
        raw = RawRequest("GET", "/px.jpg", b'{"a":"1"}', b'{"host":"h"}', body, "192.0.2.1", None)
        assert decompress(compress(raw)) == raw


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A directory with an event or two of each dialect, whose requests were kept."""
    add_keys(str(tmp_path / "data"))
    with serving(tmp_path / "data", env=KEEPING) as served:
        async with aiohttp.ClientSession() as session:
            for number, way in enumerate(WAYS):
                names = [f"{number}.{part}" for part in range(2 if way.many else 1)]
                assert (await send(session, served.url, way, way.body(*names), None)).status in (200, 204)
            tranthor = next(way for way in WAYS if way.dialect == "tranthor" and way.many)
            mixed = json.dumps({"batch": [track("5.0"), track("bad", None), track("last")]}).encode()
            assert (await send(session, served.url, tranthor, mixed, None)).status == 204
        assert served.stop() == 0
    return tmp_path / "data"


def asked(data: Path, question: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data / "events.db")) as connection, connection:
        return connection.execute(question, values).fetchall()


def told(data: Path, *arguments: str) -> tuple[int, str, str]:
    done = run("events", "retranslate", "--data", str(data), *arguments)
    return done.returncode, done.stdout, done.stderr


async def test_where_the_code_is_the_same_nothing_differs(data: Path) -> None:
    before = asked(data, "SELECT * FROM events")
    assert len(before) == 11
    assert told(data, "--dry-run") == (0, "", "11 events looked at, 0 would change\n")
    assert told(data) == (0, "", "11 events looked at, 0 rewritten\n")
    assert asked(data, "SELECT * FROM events") == before


async def test_what_older_code_stored_is_shown_field_by_field_and_rewritten_in_place(data: Path) -> None:
    whole = asked(data, "SELECT * FROM events")
    older = "json_set(json_remove(body, '$.user_id'), '$.name', 'before', '$.properties.extra', 1)"
    [(now, before)] = asked(data, f"SELECT body, {older} FROM events WHERE position = 11")
    assert rewrite(data / "events.db", [(11, str(now).encode(), str(before).encode())]) == 1
    message_id = "last"
    expected = {
        "position": 11,
        "message_id": message_id,
        "changes": [
            {"pointer": "/name", "stored": "before", "today": "Signed Up"},
            {"pointer": "/properties/extra", "stored": 1},
            {"pointer": "/user_id", "today": "u-1"},
        ],
    }
    changed = asked(data, "SELECT * FROM events")
    code, out, err = told(data, "--dry-run")
    assert (code, json.loads(out), err) == (0, expected, "11 events looked at, 1 would change\n")
    assert asked(data, "SELECT * FROM events") == changed
    assert told(data, "--project", "nobody") == (1, "", "Error: there is no project 'nobody'; choose from: shop\n")
    assert told(data)[2] == "11 events looked at, 1 rewritten\n"
    assert asked(data, "SELECT * FROM events") == whole


async def test_events_are_rewritten_only_where_no_server_runs(data: Path) -> None:
    with serving(data, env=KEEPING) as served:
        assert told(data, "--dry-run")[0] == 0
        said = (
            f"Error: another gateway runs on {data} (process {served.process.pid}); stop it or choose another --data\n"
        )
        assert told(data) == (1, "", said)


async def test_no_secret_is_in_what_is_kept(data: Path) -> None:
    with Reader(find(data)) as reader:
        raws = [kept.raw for kept in kept_requests(reader)]
    everything = b"".join(raw.headers + raw.query + raw.body for raw in raws)
    assert (len(raws), [way.key for way in WAYS if way.key.encode() in everything]) == (len(WAYS) + 1, [])


async def test_kept_requests_go_when_their_time_is_over(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    async with opened(tmp_path, keep_raw=60.0) as (storage, _):
        for age in (100_000, 61_000, 30_000, 0):
            await storage.append(attrs.evolve(entry(row(age)), received_at=now - age, raw_compressed=b"p"))
        await storage.append(attrs.evolve(entry(), received_at=now))
    assert asked(tmp_path, "SELECT count(*) FROM raws") == [(2,)]
    async with opened(tmp_path) as (storage, _):
        await storage.append(attrs.evolve(entry(), received_at=now + 1000))
    assert asked(tmp_path, "SELECT count(*) FROM raws") == [(0,)]


async def test_nothing_is_kept_unless_it_is_asked_for(tmp_path: Path) -> None:
    add_keys(str(tmp_path / "data"))
    with serving(tmp_path / "data") as served:
        async with aiohttp.ClientSession() as session:
            await send(session, served.url, WAYS[0], WAYS[0].body("a"), None)
        assert asked(tmp_path / "data", "SELECT count(*) FROM raws") == [(0,)]
