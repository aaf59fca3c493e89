"""Dialects written for 0.1 import and build the contract by its old names."""

import importlib
from typing import Any

import attrs
import pytest

from gateway import dialect
from gateway.dialect import (
    CredentialKind,
    OnInvalid,
    Received,
    Request,
    Response,
    Route,
    StaticRoute,
    Submission,
    Verdict,
)
from tests.kit.fake_dialect import dialect as acme

MODULES = {
    "gateway.decode": "gateway.dialect.decode",
    "gateway.event": "gateway.dialect.event",
    "gateway.message": "gateway.dialect.message",
    "gateway.outcome": "gateway.dialect.outcome",
    "gateway.timestamps": "gateway.dialect.timestamps",
}


@pytest.mark.parametrize("old", MODULES)
def test_an_old_module_has_every_public_name_of_the_new_one(old: str) -> None:
    old_module, new_module = importlib.import_module(old), importlib.import_module(MODULES[old])
    names = [name for name in vars(new_module) if not name.startswith("_")]
    assert [name for name in names if getattr(old_module, name, None) is not getattr(new_module, name)] == []


def test_the_old_names_of_classes_and_members_are_the_new_ones() -> None:
    from gateway.record import record

    assert record is dialect.value_class
    assert (dialect.Arrival, dialect.Attached, dialect.Fixed) == (Received, dialect.EventWithFiles, StaticRoute)
    assert (dialect.Handled, dialect.Kind, dialect.Unfit) == (dialect.Accepted, CredentialKind, OnInvalid)
    assert (OnInvalid.REFUSE_ALL, OnInvalid.REFUSE_ITEM, OnInvalid.REFUSE_INVALID) == (
        OnInvalid.REJECT_REQUEST,
        OnInvalid.REJECT_ITEM,
        OnInvalid.QUARANTINE_UNTRANSLATABLE,
    )
    assert (Verdict.ACCEPTED, Verdict.INVALID, Verdict("refused")) == (
        Verdict.STORED,
        Verdict.REJECTED,
        Verdict.REJECTED,
    )
    assert [verdict.name for verdict in Verdict] == ["STORED", "DUPLICATE", "QUARANTINED", "FILTERED", "REJECTED"]


def test_old_keywords_set_the_new_fields() -> None:
    def parse(_request: Request) -> Submission:
        return Submission()

    probe = StaticRoute(("/probe",), lambda _request: Response(204))
    # In a mapping, since the type checker knows the new names only.
    kind: dict[str, Any] = {"form": "ak_{token}", "canonical": str.lower}
    route: dict[str, Any] = {"mounted": ("/a",), "unfit": OnInvalid.QUARANTINE}
    owned: dict[str, Any] = {"owns": ("/acme/",), "fixed": (probe,)}
    functions: dict[str, Any] = {"parse": parse, "translate": "translate", "render": "render"}
    assert CredentialKind("key", **kind) == CredentialKind("key", template="ak_{token}", normalize=str.lower)
    assert Route("a", ("/v1/a",), **functions, **route) == Route(
        "a", ("/v1/a",), **functions, mount_only_paths=("/a",), on_invalid=OnInvalid.QUARANTINE
    )
    assert attrs.evolve(acme, **owned) == attrs.evolve(acme, prefixes=("/acme/",), static_routes=(probe,))
