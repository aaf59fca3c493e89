"""Which requests count as uses of a credential: all that name a known one, and none of a stranger."""

import asyncio
from pathlib import Path

import pytest

from gateway.app import build_handler
from gateway.config import Config
from gateway.datadir import DataDir
from gateway.dialect import Dialect
from gateway.http.handler import RequestHead
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.records.use_log import DAY
from gateway.storage.records import CredentialUse
from gateway.storage.sqlite.credential_uses import use_log
from gateway.storage.sqlite.read.rejected import credential_uses
from gateway.testing.memory import MemoryStorage

SALT = b"salt"
NOW = 1_767_323_045_678


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Dialect:
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "toy")
    from toy_dialect import dialect

    return dialect


def uses(folder: Path, dialect: Dialect, *requests: tuple[str, bytes]) -> dict[str, CredentialUse]:
    """Send requests, each `(key, body)`; return what is known of the credentials `good` and `revoked`."""
    grants = {
        digest(SALT, "toy", "api_key", name): Grant(name, "shop", "toy", "api_key", frozenset(), revoked=revoked)
        for name, revoked in (("good", False), ("revoked", True))
    }
    counting = use_log(DataDir(folder).rejected)

    async def sent() -> None:
        built = build_handler(
            Config(), (dialect,), MemoryStorage(), Keyring(SALT, grants), use_log=counting, clock=lambda: NOW
        )
        async with counting.running():
            for key, body in requests:
                head = RequestHead("POST", "/toy-api/v0/ping", "", {"x-toy-key": key} if key else {})
                await built.route(head).answer(body)

    asyncio.run(sent())
    return credential_uses(DataDir(folder), NOW // DAY)


def test_a_request_is_counted_for_its_credential_whether_it_was_accepted_or_rejected(
    tmp_path: Path, toy: Dialect
) -> None:
    found = uses(tmp_path, toy, *[("good", b'{"what":"hello"}')] * 2, ("good", b"no json"), ("revoked", b"{}"))
    assert found == {"good": CredentialUse(NOW, 3, 1), "revoked": CredentialUse(NOW, 1, 1)}


def test_nothing_is_counted_for_a_stranger(tmp_path: Path, toy: Dialect) -> None:
    assert uses(tmp_path, toy, ("unknown", b"{}"), ("", b"{}")) == {}
    assert list(tmp_path.iterdir()) == []
