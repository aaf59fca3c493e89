"""The checks of what a dialect emits, with a dialect that keeps each promise and with others."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from gateway.dialect import (
    Beside,
    CredentialPlace,
    Dialect,
    Emitted,
    Files,
    Lost,
    OutboundItem,
    OutboundRoute,
    Source,
    beside_connection,
    spread,
)
from tests.testing import small
from tests.testing.checking import failure, kept

ROUTES = "emit/an outbound route is one of the dialect's, at its path"
BACK = "emit/its own events come back as they were"
PURE = "emit/the same event gives the same items and stays as it is"
LIMITS = "emit/requests are within the vendor's limits"
SENT = "emit/credentials are sent where it reads them"
ANY = "emit/events of any dialect are taken, and told where they lose something"
PLACES = {"api_key": CredentialPlace("header", "x-small-key"), "site": CredentialPlace("query", "site")}
OUTBOUND = OutboundRoute("events", "/small-api/v1/events", field="events", most_items=2, credentials=PLACES)


def emit(event: Mapping[str, Any], _files: Files) -> Emitted:
    """Return the item of an event: the small dialect's own, and what other dialects have that has a name."""
    source = Source(event, "small")
    name = source.field("name")
    if not name:
        return source.not_sent("no_name")
    payload = {"id": source.field("message_id"), "name": name, "at": source.field("timestamp")}
    user = source.field("user_id")
    payload |= {} if user is None else {"user": user}
    headers, address = beside_connection(source)
    if not source.own:
        spread(source)
    if source.properties:
        payload["properties"] = source.properties
    if source.traits:
        source.lose("traits.*")
    return Emitted((OutboundItem("events", payload, Beside(headers=headers, client_ip=address)),), source.lost())


Emit = Callable[[Mapping[str, Any], Files], Emitted]


def speaking(emit: Emit = emit, outbound: OutboundRoute = OUTBOUND) -> Dialect:
    return attrs.evolve(small.DIALECT, emit=emit, outbound=(outbound,))


def with_item(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Emit:
    """Return an `emit` that sends another payload than it should."""

    def changed(event: Mapping[str, Any], files: Files) -> Emitted:
        emitted = emit(event, files)
        items = [attrs.evolve(item, payload=change(dict(item.payload))) for item in emitted.items]
        return attrs.evolve(emitted, items=tuple(items))

    return changed


def test_a_good_dialect_keeps_every_promise_and_one_that_is_silent_has_none(tmp_path: Path) -> None:
    assert kept(small.subject_of(tmp_path, speaking()), "emit") == [ROUTES, BACK, PURE, LIMITS, SENT, ANY]
    assert kept(small.subject_of(tmp_path), "emit") == []


def forgetful(event: Mapping[str, Any], files: Files) -> Emitted:
    return attrs.evolve(emit(event, files), lost=())


def silent(_event: Mapping[str, Any], _files: Files) -> Emitted:
    return Emitted()


def chance(event: Mapping[str, Any], files: Files, _calls: list[None] = []) -> Emitted:  # noqa: B006
    _calls.append(None)
    return with_item(lambda payload: {**payload, "n": len(_calls)})(event, files)


def destructive(event: Mapping[str, Any], files: Files) -> Emitted:
    emitted = emit(event, files)
    event["properties"].clear()
    return emitted


FAULTS: dict[str, tuple[str, Dialect, str, str]] = {
    "a route that is none": (
        ROUTES,
        speaking(outbound=attrs.evolve(OUTBOUND, route="evnts")),
        "outbound route evnts is no route of it",
        "name one of its routes",
    ),
    "a path of another route": (
        ROUTES,
        speaking(outbound=attrs.evolve(OUTBOUND, path="/small-api/v1/event")),
        "outbound route events is sent as POST /small-api/v1/event, which that route is not",
        "give the method and one of the paths of the route",
    ),
    "a value that is left out": (
        BACK,
        speaking(with_item(lambda payload: {"name": payload["name"], "id": payload["id"], "at": payload["at"]})),
        "an event of an_event_is_stored loses user_id in silence: it is lost",
        "carry it, or say so: Lost(place, why)",
    ),
    "a value that is made up": (
        BACK,
        speaking(with_item(lambda payload: {**payload, "properties": {"by": "us", **payload.get("properties", {})}})),
        "an event of a_pixel_of_a_page_is_stored comes back with properties.*, which it did not have",
        "emit must add nothing to the dialect's own events",
    ),
    "an item that its own schema refuses": (
        BACK,
        speaking(with_item(lambda payload: {**payload, "name": 5})),
        "what is emitted of an event of a_pixel_of_a_page_is_stored is refused: type at /name",
        "emit only what the schema takes, and say what is left out: Lost(place, 'limit')",
    ),
    "nothing without a reason": (
        BACK,
        speaking(silent),
        "of an event of a_pixel_of_a_page_is_stored nothing is emitted, and why is not told",
        'return Emitted((), (Lost("", "no_person"),)), or another word for why',
    ),
    "a credential in a wrong place": (
        SENT,
        speaking(outbound=attrs.evolve(OUTBOUND, credentials={**PLACES, "api_key": CredentialPlace("query", "k")})),
        "no route reads api_key where a request has it",
        "say where it goes: the first of CredentialKind.places, or OutboundRoute.credentials",
    ),
    "a credential without a place": (
        SENT,
        speaking(outbound=attrs.evolve(OUTBOUND, credentials={})),
        "route events reads no kind of credential where a request to it has them",
        "say where each goes: the first of CredentialKind.places, or OutboundRoute.credentials",
    ),
    "chance": (
        PURE,
        speaking(chance),
        "emit gives two different answers for an event of a_pixel_of_a_page_is_stored",
        "make it pure",
    ),
    "a changed event": (
        PURE,
        speaking(destructive),
        "emit changes the event of an_event_is_stored that it gets",
        "copy what it changes",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_promise_is_told_with_what_to_do(fault: str, tmp_path: Path) -> None:
    name, dialect, wrong, remedy = FAULTS[fault]
    told = failure(small.subject_of(tmp_path, dialect), name)
    assert (told.wrong, told.remedy) == (wrong, remedy)


def test_what_other_dialects_lose_in_silence_is_found_too(tmp_path: Path) -> None:
    told = failure(small.subject_of(tmp_path, speaking(forgetful)), ANY)
    assert " in silence: it is " in told.wrong
    assert Lost("session_id").why == "no_place"
