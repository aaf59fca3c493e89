"""Items to requests, and an event that is taken apart: for a vendor that does not exist."""

from typing import Any

import attrs
import pytest

from gateway.dialect import (
    Beside,
    CredentialKind,
    CredentialPlace,
    Dialect,
    Emitted,
    Lost,
    OutboundItem,
    OutboundRequest,
    OutboundRoute,
    Source,
    as_track,
    beside_connection,
    requests_of,
    spread,
)

KEY = CredentialKind("key", "{token}", places=(CredentialPlace("header", "Authorization", "Bearer"),))
SITE = CredentialKind("site", "{uuid}", public=True, places=(CredentialPlace("query", "site"),))
JSON = {"Content-Type": "application/json"}
DIALECT = Dialect(
    name="acme",
    title="Acme",
    schemas="acme",
    prefixes=(),
    kinds=(KEY, SITE),
    routes=(),
    setting="",
    curl="",
    emit=lambda _event, _files: Emitted(),
    outbound=(
        OutboundRoute("many", "/many", most_items=2, most_bytes=100),
        OutboundRoute("field", "/field", field="events", most_items=10),
        OutboundRoute(
            "one", "/one", is_one=True, method="PUT", credentials={"site": CredentialPlace("body", "siteId")}
        ),
    ),
)


def item(route: str, number: int, **beside: Any) -> OutboundItem:
    return OutboundItem(route, {"n": number}, Beside(**beside))


def sent(*items: OutboundItem, **credentials: str) -> list[tuple[str, bytes, tuple[int, ...]]]:
    return [(each.path, each.body, each.items) for each in requests_of(DIALECT, items, credentials)]


def test_neighbours_of_a_route_share_a_request_as_far_as_it_takes_them() -> None:
    assert sent(item("many", 0), item("many", 1), item("many", 2), item("field", 3), item("many", 4)) == [
        ("/many", b'[{"n":0},{"n":1}]', (0, 1)),
        ("/many", b'[{"n":2}]', (2,)),
        ("/field", b'{"events":[{"n":3}]}', (3,)),
        ("/many", b'[{"n":4}]', (4,)),
    ]
    assert sent() == []


def test_a_request_has_no_more_bytes_than_the_vendor_takes_and_a_larger_item_goes_alone() -> None:
    small, large = OutboundItem("many", {"t": "x" * 10}), OutboundItem("many", {"t": "x" * 200})
    assert [each for _, _, each in sent(small, large, small, small)] == [(0,), (1,), (2,), (3,)]
    assert [each for _, _, each in sent(small, OutboundItem("many", {}))] == [(0, 1)]


def test_items_share_a_request_only_if_what_stands_beside_them_is_equal() -> None:
    one, other = {"client_ip": "192.0.2.1"}, {"client_ip": "192.0.2.2"}
    assert [
        each for _, _, each in sent(item("field", 0, **one), item("field", 1, **one), item("field", 2, **other))
    ] == [
        (0, 1),
        (2,),
    ]


def test_what_stands_beside_the_items_is_in_the_request() -> None:
    beside = {"query": {"a": "1"}, "headers": {"X-B": "2"}, "client_ip": "192.0.2.1", "fields": {"sentAt": "t"}}
    assert requests_of(DIALECT, [item("field", 0, **beside)], {}) == (
        OutboundRequest(
            "POST", "/field", {"a": "1"}, {**JSON, "X-B": "2"}, b'{"sentAt":"t","events":[{"n":0}]}', "192.0.2.1", (0,)
        ),
    )
    assert sent(item("one", 0, fields={"siteId": "s"})) == [("/one", b'{"n":0,"siteId":"s"}', (0,))]


def test_credentials_go_to_their_places_over_what_an_item_says_itself() -> None:
    items = [item("many", 0, query={"site": "old"}), item("one", 1, fields={"siteId": "old"})]
    assert requests_of(DIALECT, items, {"key": "k-1", "site": "new"}) == (
        OutboundRequest(
            "POST", "/many", {"site": "new"}, {**JSON, "Authorization": "Bearer k-1"}, b'[{"n":0}]', None, (0,)
        ),
        OutboundRequest(
            "PUT", "/one", {}, {**JSON, "Authorization": "Bearer k-1"}, b'{"n":1,"siteId":"new"}', None, (1,)
        ),
    )
    with pytest.raises(KeyError):
        sent(item("many", 0), password="p")


def test_integers_beyond_64_bits_are_written_exactly() -> None:
    long = OutboundItem("many", {"n": 10**30})
    assert sent(long) == [("/many", b'[{"n":1000000000000000000000000000000}]', (0,))]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"emit": None}, "emit and outbound go together: it has only one of them"),
        ({"outbound": ()}, "emit and outbound go together: it has only one of them"),
    ],
)
def test_a_dialect_has_emit_and_outbound_or_neither(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        attrs.evolve(DIALECT, **change)
    assert attrs.evolve(DIALECT, emit=None, outbound=()).emit is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"path": "many"}, "outbound route many: path 'many' must begin with /"),
        ({"method": "post"}, "outbound route many: method 'post' must be in capitals, like POST"),
        ({"most_items": 0}, "outbound route many: most_items must be at least 1"),
        ({"is_one": True}, "outbound route many: a body that is one item has no most_items"),
        (
            {"is_one": True, "most_items": 1, "field": "events"},
            "outbound route many: a body that is one item has no field",
        ),
    ],
)
def test_an_outbound_route_says_what_is_wrong_with_it(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        attrs.evolve(DIALECT.outbound[0], **change)


def event(**fields: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("name", "sent_at", "anonymous_id", "user_id", "previous_id", "group_id", "session_id"))
    stamped = {"project": "p", "dialect": "other", "received_at": "r", "message_id": "m-1", "timestamp": "t"}
    return {**stamped, **empty, "type": "track", "properties": {}, "traits": {}, "context": {}, **fields}


def test_what_is_not_taken_of_an_event_is_lost_and_so_is_what_is_said_to_be() -> None:
    source = Source(
        event(user_id="u-1", context={"page": {"title": "T", "mine": 1}, "acme": {"a": 1}, "ip": "i"}), "acme"
    )
    assert (source.field("message_id"), source.take("page", "title"), source.take("page", "url")) == ("m-1", "T", None)
    assert (source.field("message_id"), source.take_own("a"), source.own) == (None, None, False)
    source.lose("traits.*", "limit")
    assert source.lost() == (
        Lost("traits.*", "limit"),
        Lost("timestamp"),
        Lost("user_id"),
        Lost("context.page.*"),
        Lost("context.acme.a"),
        Lost("context.ip"),
    )
    assert source.not_sent("no_person") == Emitted((), (Lost("", "no_person"),))


def test_an_event_of_the_dialect_itself_gives_what_translation_put_aside() -> None:
    source = Source(event(dialect="acme", context={"acme": {"a": 1}}), "acme")
    assert (source.own, source.has("acme", "a"), source.take_own("a"), source.take_own("a")) == (True, True, 1, None)


def test_surroundings_become_properties_but_for_those_that_are_there() -> None:
    stored = event(
        session_id="s-1",
        properties={"utm_source": "mine"},
        context={"campaign": {"source": "news", "medium": "mail"}, "os": {"name": "Android"}, "ip": "192.0.2.1"},
    )
    source = Source(stored, "acme")
    spread(source)
    assert source.properties == {
        "utm_source": "mine",
        "session_id": "s-1",
        "utm_medium": "mail",
        "os": {"name": "Android"},
    }
    assert Lost("context.campaign.source", "taken") in source.lost()
    assert stored["properties"] == {"utm_source": "mine"}


def test_types_that_a_vendor_does_not_know_become_events_with_what_only_they_have() -> None:
    page = Source(event(type="page", name="Pricing"), "acme")
    group = Source(event(type="group", group_id="g-1", traits={"plan": None}), "acme")
    track = Source(event(name="paid"), "acme")
    assert [as_track(each) for each in (page, group, track)] == ["page_view", "group", "paid"]
    assert (page.properties, group.properties) == ({"name": "Pricing"}, {"group_id": "g-1", "plan": None})


@pytest.mark.parametrize(
    ("context", "origin", "headers", "address", "left"),
    [
        ({"ip": "192.0.2.1"}, None, {"Sec-Fetch-Site": "cross-site"}, "192.0.2.1", ()),
        ({"user_agent": "UA"}, "https://a.example", {"User-Agent": "UA", "Origin": "https://a.example"}, None, ()),
        ({"ip": "junk", "user_agent": "caf\u00e9"}, None, {}, None, ("context.ip", "context.user_agent")),
        ({"user_agent": "a\r\nX-Evil: 1"}, None, {}, None, ("context.user_agent",)),
        ({}, "https://a.example", {}, None, ()),
    ],
)
def test_a_connection_shows_what_headers_can_and_nothing_else(
    context: dict[str, str], origin: str | None, headers: dict[str, str], address: str | None, left: tuple[str, ...]
) -> None:
    source = Source(event(context=context), "acme")
    assert beside_connection(source, origin) == (headers, address)
    assert [each.place for each in source.lost() if each.place.startswith("context.")] == list(left)
