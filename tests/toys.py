"""A gateway that speaks the toy dialect alone, without a socket, for tests of what is around a dialect."""

from pathlib import Path

import pytest

from gateway.app import front
from gateway.auth import Grant, Keyring, digest
from gateway.config import Config
from gateway.front import Front
from gateway.storage.base import Storage

SALT = b"salt"
CAP = 64 * 1024


def toy_front(monkeypatch: pytest.MonkeyPatch, storage: Storage) -> Front:
    """Return a front with one key, `toy_1`, whose bodies may have CAP bytes and whose events are all named `id`."""
    monkeypatch.syspath_prepend(Path(__file__).parent / "toy")
    from toy_dialect import dialect

    grant = Grant("key_1", "default", "toy", "api_key", frozenset())
    keyring = Keyring(SALT, {digest(SALT, "toy", "api_key", "toy_1"): grant})
    return front(Config(body_caps={"toy": CAP}), (dialect,), storage, keyring, ids=lambda _now: "id")
