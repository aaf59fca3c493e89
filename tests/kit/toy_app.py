"""A gateway that speaks the toy dialect alone, without a socket, for tests of what is around a dialect."""

from pathlib import Path

import pytest

from gateway.app import build_handler
from gateway.config import Config, DialectSettings
from gateway.ingest.handler import IngestHandler
from gateway.keys.keyring import Grant, Keyring, digest
from gateway.storage.contract import Storage

SALT = b"salt"
CAP = 64 * 1024


def toy_handler(monkeypatch: pytest.MonkeyPatch, storage: Storage) -> IngestHandler:
    """Return a front with one key, `toy_1`, whose bodies may have CAP bytes and whose events are all named `id`."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "toy")
    from toy_dialect import dialect

    grant = Grant("key_1", "default", "toy", "api_key", frozenset())
    keyring = Keyring(SALT, {digest(SALT, "toy", "api_key", "toy_1"): grant})
    config = Config(dialects={"toy": DialectSettings(body_limit_bytes=CAP)})
    return build_handler(config, (dialect,), storage, keyring, new_id=lambda _now: "id")
