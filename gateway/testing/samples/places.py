"""The places of a request where a client's values stand: members of its JSON body, and query parameters. Pure.

A body that is no JSON object or array has none.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import parse_qsl, quote_from_bytes, urlencode

import attrs

from gateway.testing.corpus.message import SentRequest

Step = str | int
MARK = "a place of the kit"
MOST = 200
"""How many places of a request are looked at."""


@attrs.frozen
class Place:
    """One value of a request: a path into its JSON body, or the name of a query parameter."""

    where: Literal["body", "query"]
    path: tuple[Step, ...]

    def __str__(self) -> str:
        if self.where == "query":
            return f"the query parameter {self.path[0]}"
        return "the body" if not self.path else "/" + "/".join(str(step) for step in self.path) + " of the body"


ROOT = Place("body", ())
"""The whole body."""


def places_of(request: SentRequest, *, leaves: bool = False) -> list[Place]:
    """Return the places of a request, those of its body from the outside in; with `leaves`, only texts and the like."""
    found = [Place("query", (name,)) for name, _ in parse_qsl(request.head.query, keep_blank_values=True)]
    body = json_of(request)
    if isinstance(body, dict | list):
        found += [Place("body", path) for path, value in _inside(body, ()) if not (leaves and _is_full(value))]
    return found[:MOST]


def value_at(request: SentRequest, place: Place) -> Any:
    """Return the value at a place of a request."""
    if place.where == "query":
        return dict(parse_qsl(request.head.query, keep_blank_values=True))[str(place.path[0])]
    value = json_of(request)
    for step in place.path:
        value = value[step]
    return value


def with_value(request: SentRequest, place: Place, value: object) -> SentRequest:
    """Return a request with another JSON value at a place; in a query it is sent as its text."""
    if place.where == "query":
        return with_raw(request, place, (value if isinstance(value, str) else json.dumps(value)).encode("utf-8"))
    return with_raw(request, place, json.dumps(value).encode())


def with_raw(request: SentRequest, place: Place, raw: bytes) -> SentRequest:
    """Return a request with some bytes in the place of a value: any bytes, be they JSON or not."""
    if place.where == "query":
        return _with_query(request, str(place.path[0]), raw)
    body = _replaced(json_of(request), place.path, MARK)
    written = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return attrs.evolve(request, body=written.replace(json.dumps(MARK).encode(), raw, 1))


def with_member(request: SentRequest, place: Place, name: str, raw: bytes) -> SentRequest:
    """Return a request whose object at a place has one more member, of some bytes."""
    value = value_at(request, place)
    return with_raw(request, place, json.dumps({**value, name: MARK}).encode().replace(json.dumps(MARK).encode(), raw))


def without(request: SentRequest, place: Place) -> SentRequest:
    """Return a request without the value at a place."""
    if place.where == "query":
        return _with_query(request, str(place.path[0]), None)
    body = copy.deepcopy(json_of(request))
    holder = body
    for step in place.path[:-1]:
        holder = holder[step]
    del holder[place.path[-1]]
    return attrs.evolve(request, body=json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def json_of(request: SentRequest) -> Any:
    """Return the JSON value of a request's body, None if it is no JSON."""
    try:
        return json.loads(request.body)
    except ValueError:
        return None


def _inside(value: Any, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value)
    inner = [((*path, step), child) for step, child in members]
    yield from inner
    for deeper, child in inner:
        if _is_full(child):
            yield from _inside(child, deeper)


def _is_full(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _replaced(value: Any, path: tuple[Step, ...], new: object) -> Any:
    if not path:
        return new
    copied = copy.copy(value)
    copied[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copied


def _with_query(request: SentRequest, name: str, raw: bytes | None) -> SentRequest:
    path, _, query = request.target.partition("?")
    pairs = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if key != name]
    parts = [urlencode(pairs)] if pairs else []
    if raw is not None:
        parts.append(f"{quote_from_bytes(name.encode())}={quote_from_bytes(raw)}")
    return attrs.evolve(request, target=f"{path}?{'&'.join(parts)}" if parts else path)
