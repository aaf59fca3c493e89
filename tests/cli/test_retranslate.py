"""Events made anew from the requests that were kept: alike where nothing changed, told field by field where it did."""

import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import pytest

from gateway.records.raw_request import RawRequest, compress, decompress
from gateway.storage.engines import open_store
from gateway.storage.read import Position
from gateway.storage.records import RawEvents
from gateway.testing.engine.given.entries import entry, row
from gateway.testing.samples.variants import with_body
from tests.cli.test_quarantine import track
from tests.idempotency.endpoints import KEYS, MANY, add_keys, send
from tests.kit.endpoints import endpoints
from tests.kit.log_reading import events_of
from tests.kit.serving import run, serving
from tests.storage.stores import opened, query

KEEPING = {"GATEWAY_KEEP_RAW_DAYS": "1"}
EVENTS = len(endpoints()) + len(MANY) + 1
"""One to each endpoint, a second one to those that take many, and one of a batch of which another one is known."""


def test_a_request_is_packed_and_comes_back_as_it_was() -> None:
    for body in (b"", b"\n\n", b"\xff" * 100):
        raw = RawRequest("GET", "/px.jpg", b'{"a":"1"}', b'{"host":"h"}', body, "192.0.2.1", None)
        assert decompress(compress(raw)) == raw


@pytest.fixture
async def filled(tmp_path: Path, url: str) -> str:
    """The URL of a store with an event or two of each dialect, whose requests were kept."""
    add_keys(url)
    with serving(tmp_path / "data", env=KEEPING, storage=url) as served:
        async with aiohttp.ClientSession() as session:
            for number, endpoint in enumerate(endpoints()):
                names = [f"{number}.{part}" for part in range(2 if endpoint.items else 1)]
                assert (await send(session, served.url, endpoint, endpoint.of(*names), None)).is_success
            tranthor = next(each for each in MANY if each.dialect.name == "tranthor")
            known = f"{endpoints().index(tranthor)}.0"
            mixed = json.dumps({"batch": [track(known), track("bad", None), track("last")]}).encode()
            assert (await send(session, served.url, tranthor, with_body(tranthor.one, mixed), None)).status == 204
        assert served.stop() == 0
    return url


def stored(url: str) -> list[tuple[Position, Any]]:
    return [(position, json.loads(line)) for position, line in events_of(open_store(url))]


async def kept(url: str) -> list[RawEvents]:
    async with open_store(url).records() as records:
        return [each async for each in records.raw_events()]


def told(url: str, *arguments: str) -> tuple[int, str, str]:
    done = run("events", "retranslate", "--storage", url, *arguments)
    return done.returncode, done.stdout, done.stderr


async def test_where_the_code_is_the_same_nothing_differs(filled: str) -> None:
    before = events_of(open_store(filled))
    assert len(before) == EVENTS
    assert told(filled, "--dry-run") == (0, "", f"{EVENTS} events looked at, 0 would change\n")
    assert told(filled) == (0, "", f"{EVENTS} events looked at, 0 rewritten\n")
    assert events_of(open_store(filled)) == before


async def test_what_older_code_stored_is_shown_field_by_field_and_rewritten_in_place(filled: str) -> None:
    whole = stored(filled)
    position, line = events_of(open_store(filled))[-1]
    older = json.loads(line)
    del older["user_id"]
    older["name"] = "before"
    older["properties"]["extra"] = 1
    async with open_store(filled).records() as records:
        assert await records.rewrite([(position, line, json.dumps(older).encode())]) == 1
    expected = {
        "position": position,
        "message_id": "last",
        "changes": [
            {"pointer": "/name", "stored": "before", "today": "Signed Up"},
            {"pointer": "/properties/extra", "stored": 1},
            {"pointer": "/user_id", "today": "u-1"},
        ],
    }
    changed = stored(filled)
    code, out, err = told(filled, "--dry-run")
    found = json.loads(out)
    found["changes"].sort(key=lambda change: change["pointer"])  # they are in the order of the event's fields
    assert (code, found, err) == (0, expected, f"{EVENTS} events looked at, 1 would change\n")
    assert stored(filled) == changed == [*whole[:-1], (position, older)]
    assert told(filled, "--project", "nobody") == (1, "", "Error: there is no project 'nobody'; choose from: shop\n")
    assert told(filled)[2] == f"{EVENTS} events looked at, 1 rewritten\n"
    assert stored(filled) == whole


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_events_are_rewritten_only_where_no_server_runs(filled: str, tmp_path: Path) -> None:
    with serving(tmp_path / "data", env=KEEPING, storage=filled) as served:
        assert told(filled, "--dry-run")[0] == 0
        said = (
            f"Error: another gateway runs on {served.data} (process {served.process.pid}); "
            "stop it or choose another --data\n"
        )
        assert told(filled) == (1, "", said)


async def test_no_secret_is_in_what_is_kept(filled: str) -> None:
    raws = [each.raw for each in await kept(filled)]
    everything = b"".join(raw.headers + raw.query + raw.body for raw in raws)
    assert (len(raws), [key for key in KEYS.values() if key.encode() in everything]) == (len(endpoints()) + 1, [])


async def test_kept_requests_go_when_their_time_is_over(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    async with opened(tmp_path, keep_raw=60.0) as (storage, _):
        for age in (100_000, 61_000, 30_000, 0):
            await storage.append(attrs.evolve(entry(row(age)), received_at=now - age, raw_compressed=b"p"))
        await storage.append(attrs.evolve(entry(), received_at=now))
    assert query(tmp_path, "SELECT count(*) FROM raws") == [(2,)]
    async with opened(tmp_path) as (storage, _):
        await storage.append(attrs.evolve(entry(), received_at=now + 1000))
    assert query(tmp_path, "SELECT count(*) FROM raws") == [(0,)]


async def test_nothing_is_kept_unless_it_is_asked_for(tmp_path: Path, url: str) -> None:
    add_keys(url)
    with serving(tmp_path / "data", storage=url) as served:
        async with aiohttp.ClientSession() as session:
            await send(session, served.url, endpoints()[0], endpoints()[0].of("a"), None)
        assert (len(stored(url)), await kept(url)) == (1, [])
