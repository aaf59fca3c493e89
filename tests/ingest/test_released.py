"""A refused request is let go as soon as it is answered, not when Python next looks for reference cycles."""

import asyncio
import gc
import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dialects.browsee import dialect as browsee
from dialects.tranthor import dialect as tranthor
from gateway.app import build_handler
from gateway.config import Config
from gateway.dialect import Item
from gateway.dialect.message import Request
from gateway.dialect.outcome import Reason, Refusal, StorageUnavailable
from gateway.http.handler import RequestHead
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.storage.rejected_log import RejectedRequestLog
from gateway.storage.sqlite.rejected_file import rejected_log as sqlite_rejected_log
from gateway.testing.memory import MemoryStorage

SALT = b"salt"
KEY, REVOKED = "wk_0123456789abcdef", "wk_revoked_89abcdef"
TRACK, BATCH = "/api/public/apps/track", "/api/public/apps/batch"
GOOD = {"messageId": "1", "userId": "u", "event": "e"}
FULL = StorageUnavailable("full")


@pytest.fixture(autouse=True)
def without_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def basic(key: str) -> dict[str, str]:
    return {"authorization": f"Basic {key}"}


REFUSED: Mapping[str, tuple[str, Mapping[str, str], bytes | Refusal, int, StorageUnavailable | None]] = {
    "a made-up key": ("/api/v1/track", {}, b'{"apiKey":"%s","event":"e"}' % (b"k" * 100_000), 400, None),
    "no key": (TRACK, {}, json.dumps(GOOD).encode(), 401, None),
    "a revoked key": (TRACK, basic(REVOKED), json.dumps(GOOD).encode(), 401, None),
    "no JSON": (TRACK, basic(KEY), b'{"event":', 400, None),
    "too many values": (TRACK, basic(KEY), b'{"properties":[%s0]}' % (b"0," * 300_000), 413, None),
    "an unfit event": (TRACK, basic(KEY), b'{"userId":[{},{}]}', 400, None),
    "what is no gzip": (TRACK, {**basic(KEY), "content-encoding": "gzip"}, b"\x1f\x8bno", 400, None),
    "a bomb": (
        TRACK,
        {**basic(KEY), "content-encoding": "gzip"},
        gzip.compress(bytes(6_000_000)),
        413,
        None,
    ),
    "a body beyond the limit": (TRACK, basic(KEY), Refusal(Reason.TOO_LARGE, detail={"limit": 1}), 413, None),
    "a malformed Idempotency-Key": (
        TRACK,
        {**basic(KEY), "idempotency-key": "k" * 1000},
        json.dumps(GOOD).encode(),
        400,
        None,
    ),
    "a full disk": (TRACK, basic(KEY), json.dumps(GOOD).encode(), 503, FULL),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_is_freed_without_a_collection(name: str) -> None:
    path, headers, body, status, failure = REFUSED[name]
    before = [id(each) for each in _held()]
    assert _status_of(path, headers, body, failure) == status
    assert [each for each in _held() if id(each) not in before] == []


def test_a_refused_request_that_waits_to_be_written_does_not_hold_its_items(tmp_path: Path) -> None:
    waiting = sqlite_rejected_log(tmp_path / "rejected.db", 1 << 20, 60.0)
    before = [id(each) for each in _held(Item)]
    assert _status_of(BATCH, {}, b'{"batch":[{"a":[]},{}]}', None, waiting) == 401
    assert [each for each in _held(Item) if id(each) not in before] == []


def _status_of(
    path: str,
    headers: Mapping[str, str],
    body: bytes | Refusal,
    failure: StorageUnavailable | None,
    rejected_log: RejectedRequestLog | None = None,
) -> int:
    grants = {
        digest(SALT, "tranthor", "write_key", key): Grant(
            key[:5], "shop", "tranthor", "write_key", frozenset(), revoked=key is REVOKED
        )
        for key in (KEY, REVOKED)
    }
    handler = build_handler(
        Config(),
        (browsee, tranthor),
        MemoryStorage(failure=failure),
        Keyring(SALT, grants),
        rejected_log=rejected_log,
    )
    head = RequestHead("POST", path, "", dict(headers))
    return asyncio.run(handler.route(head).answer(body)).status


def _held(*kinds: type) -> list[object]:
    return [each for each in gc.get_objects() if isinstance(each, kinds or (Request, Refusal))]
