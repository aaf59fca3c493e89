"""What strangers are told and let do: keys, the admin token, forwarded addresses, origins, file names, file modes."""

import asyncio
import base64
import itertools
import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.testing.samples.variants import without_credentials
from tests.faults.figures import Figure
from tests.faults.lives import TRACEBACK, log_of, watched
from tests.faults.traffic import Keys, keys_of
from tests.faults.wire import Answer, ask, connected, request
from tests.kit.endpoints import raw, shown
from tests.kit.of_dialects import subjects
from tests.kit.serving import Served, add_key, run, serving
from tests.security.canaries import of_each_route

EVENT = {"name": "seen"}
CONFIG = '[server]\ntrusted_proxies = ["127.0.0.1"]\n'
PATIENCE = 6.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("doors") / "data") as served:
        yield served


def doors(key: str) -> dict[tuple[str, str], bytes]:
    """Return a request to each route of each dialect in which a key is shown, for each place where one may be."""
    found = {}
    for name, each in subjects().items():
        places = [place for kind in each.dialect.kinds if not kind.public for place in kind.places]
        for sample, place in itertools.product(of_each_route(each), places):
            bare = without_credentials(sample)
            if bare is not None:
                found[name, f"{sample.route.name} {place}"] = raw(shown(bare, place, key))
    return found


def event(key: str) -> bytes:
    """Return a request that stores an event, with a key of Databuddy's."""
    return request("/track", EVENT, {"Authorization": f"Bearer {key}"})


def like(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Return all of an answer but the date and what is made anew each time."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "x-gateway-receipt")}
    return answer.status, headers, answer.body


def test_a_secret_of_somebody_else_is_answered_as_one_that_nobody_has(served: Served) -> None:
    for owner, key in keys_of(served.greeting).items():
        unknown = doors("?" * len(key))
        for door, sent in doors(key).items():
            if door[0] != owner:
                answers = [like(asyncio.run(ask(served.url, each))) for each in (sent, unknown[door])]
                assert answers[0] == answers[1], f"{owner}'s key at {door}"


def test_every_dialect_has_a_door() -> None:
    assert {dialect for dialect, _ in doors("a key")} == set(subjects())


def test_an_admins_path_tells_nothing_without_the_token(served: Served) -> None:
    token = next(word for word in served.greeting.split() if word.startswith("admin_"))
    keys = keys_of(served.greeting)
    first = asyncio.run(ask(served.url, event(keys["databuddy"])))
    receipt = first.headers["x-gateway-receipt"]
    wrong: tuple[dict[str, str], ...] = (
        {},
        {"Authorization": f"Bearer {token[:-1]}"},
        {"Authorization": f"Bearer {keys['databuddy']}"},
    )
    for path in (f"/-/receipts/{receipt}", "/-/receipts/none"):
        refused = [asyncio.run(ask(served.url, request(path, headers=headers))) for headers in wrong]
        assert [answer.status for answer in refused] == [401, 401, 401]
        assert {answer.body for answer in refused} == {refused[0].body}
    told = asyncio.run(ask(served.url, request(f"/-/receipts/{receipt}", headers={"Authorization": f"Bearer {token}"})))
    assert told.status == 200
    metrics = asyncio.run(ask(served.url, request("/-/metrics"))).body.decode()
    assert [key for key in (*keys.values(), token, "seen") if key in metrics] == []


def addresses(folder: Path, *arguments: str) -> list[str | None]:
    """Return the address that is stored for each of some X-Forwarded-For headers; nothing but loopback is a peer."""
    claims = ("203.0.113.9", "198.51.100.1, 203.0.113.9", "203.0.113.9, 127.0.0.1", "x, 203.0.113.9", "'\"<>")
    key = "00000000-0000-4000-8000-00000000000f"
    add_key(folder, "databuddy", "website", key, project="default")
    with watched(folder, *arguments) as served:
        for claim in claims:
            sent = request(
                f"/track?website_id={key}", {"name": "seen"}, {"X-Forwarded-For": claim, "Origin": "http://a"}
            )
            assert asyncio.run(ask(served.url, sent)).status == 200
        found = [event["context"].get("ip") for event in served.events()]
        assert served.stop() == 0
    return found


def test_a_forwarded_address_is_believed_from_a_configured_proxy_only(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)
    peer, proxied = "127.0.0.1", "203.0.113.9"
    assert addresses(tmp_path / "open") == [peer] * 5
    assert addresses(tmp_path / "behind", "--config", str(config)) == [proxied, proxied, proxied, proxied, peer]


@pytest.mark.parametrize("origin", ["https://a.example\tX-Evil: 1", '"><script>', "null", "x" * 8000, "http://\xe9"])
def test_an_origin_comes_back_as_one_header_and_as_nothing_else(served: Served, origin: str) -> None:
    sent = event(keys_of(served.greeting)["databuddy"])
    answer = asyncio.run(
        ask(served.url, sent.replace(b"Host: gateway", f"Host: g\r\nOrigin: {origin}".encode("latin-1")))
    )
    assert "x-evil" not in answer.headers
    assert answer.headers["access-control-allow-origin"].encode("latin-1") in (
        origin.encode("latin-1"),
        origin.encode(),
    )
    assert b"script" not in answer.body


@pytest.mark.parametrize("broken", ["https://a\rX-Evil: 1", "https://a\nX-Evil: 1", "https://a\0", "https://a\x0bb"])
def test_an_origin_that_breaks_its_line_splits_no_answer(served: Served, broken: str) -> None:
    async def raw_answer() -> bytes:
        async with connected(served.url) as connection:
            sent = request("/track", EVENT, {"Origin": broken, "Connection": "close"})
            connection.writer.write(sent)
            return await asyncio.wait_for(connection.reader.read(), 5)

    head = asyncio.run(raw_answer()).partition(b"\r\n\r\n")[0]
    assert b"\nx-evil" not in head.lower().replace(b"\r", b"\n")


def test_a_sentthat_is_no_http_leaves_no_traceback(tmp_path: Path) -> None:
    secret = "secret5f0c1b7e9a3d4c2e"
    with serving(tmp_path / "data") as served:
        for bad in ("\x0b", "\0", "\x7f"):
            answer = asyncio.run(ask(served.url, event(f"{secret}{bad}")))
            assert (answer.status, secret.encode() in answer.body) == (400, False)
        assert served.stop() == 0
    log = log_of(tmp_path / "data")
    assert (TRACEBACK in log, secret in log) == (False, False)


def test_a_files_name_never_becomes_a_path(tmp_path: Path) -> None:
    names = ["../../../evil", "/tmp/evil", "..\\evil", "a/b", "", ".", "x" * 5000, "\0", "con", "%2e%2e/evil"]
    with watched(tmp_path / "data") as served:
        files = [
            {"type": "Base64Encoded", "name": name, "mimeType": "a/b", "data": base64.b64encode(b"%d" % index).decode()}
            for index, name in enumerate(names)
        ]
        body = {"messageId": "m", "userId": "u", "event": "e", "files": files}
        key = {"Authorization": f"Basic {keys_of(served.greeting)['tranthor']}"}
        answer = asyncio.run(ask(served.url, request("/api/public/apps/track", body, key)))
        assert answer.status == 204
        [event] = served.events()
        assert served.stop() == 0
    assert [name for name in names if name not in json.dumps(event, ensure_ascii=False)] == ["..\\evil", "\0"]
    outside = [file for file in tmp_path.rglob("*") if file.is_file() and "blobs" not in file.parts]
    assert [file for file in outside if "evil" in file.name or file.parent not in (tmp_path, served.data)] == []
    assert not Path("/tmp/evil").exists()
    blobs = [file for file in (served.data / "blobs").rglob("*") if file.is_file()]
    assert len(blobs) == len(names)
    assert all(set(file.parent.name + file.name) <= set("0123456789abcdef") for file in blobs)


def test_what_the_data_directory_holds_is_for_its_owner_alone(served: Served) -> None:
    file = {"type": "Base64Encoded", "name": "a", "mimeType": "a/b", "data": "aGVsbG8="}
    body = {"messageId": "m", "userId": "u", "event": "e", "files": [file]}
    keys: Keys = keys_of(served.greeting)
    key = {"Authorization": f"Basic {keys['tranthor']}"}
    assert asyncio.run(ask(served.url, request("/api/public/apps/track", body, key))).status == 204
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in (served.data, *served.data.rglob("*"))}
    assert [f"{path} {oct(mode)}" for path, mode in found.items() if mode & 0o077] == []


def test_a_head_that_never_ends_is_given_up(tmp_path: Path, figure: Figure) -> None:
    async def quarantined(url: str) -> float:
        async with connected(url) as connection:
            connection.writer.write(b"POST /track HTTP/1.1\r\nHost: gateway\r\nX-Slow: ")
            started = time.monotonic()
            while not connection.reader.at_eof():
                assert time.monotonic() - started < PATIENCE, f"a head is waited for longer than {PATIENCE:.0f} s"
                connection.writer.write(b"a")
                await asyncio.sleep(0.1)
            return time.monotonic() - started

    with watched(tmp_path / "data", env={"GATEWAY_IDLE_TIMEOUT": "1"}) as served:
        seconds = asyncio.run(quarantined(served.url))
    figure(f"{seconds:.1f} s with an idle_timeout of 1 s")


def test_a_command_tells_no_key_but_the_one_it_made(served: Served) -> None:
    listed = run("keys", "list", "--data", str(served.data)).stdout
    assert [key for key in keys_of(served.greeting).values() if key in listed] == []
