"""How each dialect is spoken to in these tests: an endpoint for one event, one for many, and their trouble."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import attrs

from tests.kit.serving import add_key

PROJECT = "shop"
TIME_BOUND = ("Date", "X-RateLimit-Reset", "Idempotency-Replayed", "Connection")


@attrs.frozen
class Way:
    """A dialect's endpoint. `make` gives a body from the names of its events."""

    dialect: str
    kind: str
    key: str
    path: str
    make: Callable[..., object]
    conflict: int
    malformed: Callable[[Any], bool]
    headers: Mapping[str, str] = {}
    many: bool = False

    def body(self, *names: str) -> bytes:
        return json.dumps(self.make(*names)).encode()


def _databuddy(name: str) -> dict[str, object]:
    return {"name": name}


def _appizer(name: str) -> dict[str, object]:
    return {"event_name": name, "user_id": "u-1"}


def _tranthor(name: str) -> dict[str, object]:
    return {"type": "track", "messageId": name, "event": name, "userId": "u-1"}


KEYS = {"databuddy": "dbdy_key", "appizer": "ak_key_0", "tranthor": "trn_key_0", "browsee": "browsee-key"}
_BEARER = {"Authorization": f"Bearer {KEYS['databuddy']}"}
_APPIZER = {"Authorization": f"Bearer {KEYS['appizer']}"}
_BASIC = {"Authorization": f"Basic {KEYS['tranthor']}"}


def _status(body: Any) -> bool:
    return bool(body["status"] in ("error", "failure"))


def _bad_tranthor(body: Any) -> bool:
    return bool(body["statusCode"] == 400)


def _bad_appizer(body: Any) -> bool:
    return bool(body["code"] == "INVALID_REQUEST")


def _browsee(name: str) -> dict[str, object]:
    return {"apiKey": KEYS["browsee"], "anonymousId": "a-1", "event": name}


def _array(*names: str) -> object:
    return [_databuddy(name) for name in names]


def _events(*names: str) -> object:
    return {"events": [_appizer(name) for name in names]}


def _batch(*names: str) -> object:
    return {"batch": [_tranthor(name) for name in names]}


_APPS = "/api/public/apps"
WAYS = (
    Way("databuddy", "api_key", KEYS["databuddy"], "/track", _databuddy, 422, _status, _BEARER),
    Way("databuddy", "api_key", KEYS["databuddy"], "/track", _array, 422, _status, _BEARER, many=True),
    Way("appizer", "api_key", KEYS["appizer"], "/v1/events", _appizer, 409, _bad_appizer, _APPIZER),
    Way("appizer", "api_key", KEYS["appizer"], "/v1/events/batch", _events, 409, _bad_appizer, _APPIZER, many=True),
    Way("tranthor", "write_key", KEYS["tranthor"], f"{_APPS}/track", _tranthor, 422, _bad_tranthor, _BASIC),
    Way("tranthor", "write_key", KEYS["tranthor"], f"{_APPS}/batch", _batch, 422, _bad_tranthor, _BASIC, many=True),
    Way("browsee", "api_key", KEYS["browsee"], "/api/v1/track", _browsee, 409, _status),
)
MANY = tuple(way for way in WAYS if way.many)


def add_keys(store: Path | str) -> None:
    """Add a credential for each dialect to a data directory, or to a store by its URL."""
    for way in {way.dialect: way for way in WAYS}.values():
        add_key(store, way.dialect, way.kind, way.key, project=PROJECT)


@attrs.frozen
class Answer:
    """What came back: everything that has no clock in it, and whether it was said to be a replay."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    replayed: bool = attrs.field(eq=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def send(session: aiohttp.ClientSession, url: str, way: Way, body: bytes, key: str | None) -> Answer:
    headers = {**way.headers, "Content-Type": "application/json"}
    if key is not None:
        headers["Idempotency-Key"] = key
    async with session.post(url + way.path, data=body, headers=headers) as answer:
        steady = {name: value for name, value in answer.headers.items() if name not in TIME_BOUND}
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return Answer(answer.status, await answer.read(), steady, replayed)
