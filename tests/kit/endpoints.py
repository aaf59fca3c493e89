"""How each dialect is spoken to, found in its corpus: endpoints that take a test's own credentials, marks and ids.

    endpoint = endpoints()[0]
    request = endpoint.shown(endpoint.of("a mark", "another"), "a key")     # one item for each mark
    connection.exchange(raw(request))

What an endpoint promises is tried in a gateway in memory before it is offered: each mark is in one stored event.
"""

import json
import uuid
from collections.abc import Collection, Iterator
from functools import cache

import attrs

from gateway.dialect import CredentialKind, Dialect, Refusal, Route, Submission
from gateway.dialect.description import CredentialPlace
from gateway.testing import CorpusCredential, Gate, SentRequest, Subject
from gateway.testing.samples.places import ROOT, Place, json_of, places_of, value_at, with_value
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.variants import with_body, without_credentials
from tests.faults.wire import request as wire_request
from tests.kit.of_dialects import subjects

TRIED = ("a mark", "another mark")


def key_of(kind: CredentialKind, number: int = 0) -> str:
    """Return a credential such as the gateway would make; each number has one of its own."""
    made = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind.name} {number}")
    return kind.template.replace("{token}", (made.hex * 2)[:48]).replace("{uuid}", str(made))


def shown(request: SentRequest, place: CredentialPlace, value: str) -> SentRequest:
    """Return a request that shows a credential at a place: in the body where that is an object, else nowhere there."""
    if place.where == "header":
        return request.with_header(place.name, f"{place.scheme} {value}" if place.scheme else value)
    if place.where == "query":
        return with_value(request, Place("query", (place.name,)), value)
    body = json_of(request)
    return with_value(request, ROOT, {place.name: value, **body}) if isinstance(body, dict) else request


def raw(request: SentRequest) -> bytes:
    """Return a request's bytes on the wire."""
    body = request.body if request.body or request.method == "POST" else None
    return wire_request(request.target, body, request.headers, request.method)


@attrs.frozen(eq=False)
class Endpoint:
    """A route that takes events whose ids and texts are a test's own, with a credential of the dialect's first kind.

    `one` is a request with one item and without a credential, `items` the array that its items are in, or None if it
    takes only one. `mark` is a text of an item that is kept, `ids` are the client's ids in an item. `grows` says that
    an item may have members that the dialect does not know.
    """

    dialect: Dialect
    route: Route
    sample: Sample
    one: SentRequest
    items: Place | None
    mark: Place
    ids: tuple[Place, ...]
    grows: bool = True

    @property
    def kind(self) -> CredentialKind:
        """Return the kind of its credential."""
        return self.dialect.kinds[0]

    @property
    def item(self) -> Place:
        """Return where its only item lies in `one`."""
        return ROOT if self.items is None else Place("body", (*self.items.path, 0))

    def of(self, *marks: str, more: dict[str, object] | None = None) -> SentRequest:
        """Return a request with an item for each mark; each item has further members in `more`, if it may have any."""
        if self.items is None:
            [mark] = marks
            return self._marked(mark, more or {})
        items = [value_at(self._marked(mark, more or {}), self.item) for mark in marks]
        return with_value(self.one, self.items, items)

    def shown(self, request: SentRequest, key: str) -> SentRequest:
        """Return a request with a credential of the dialect's first kind in the first of its places."""
        return shown(request, self.kind.places[0], key)

    def _marked(self, mark: str, more: dict[str, object]) -> SentRequest:
        request = with_value(self.one, self.mark, mark)
        for place in self.ids:
            is_uuid = len(value_at(request, place)) == 36
            request = with_value(request, place, str(uuid.uuid5(uuid.NAMESPACE_URL, mark)) if is_uuid else mark)
        return (
            with_value(request, self.item, {**value_at(request, self.item), **more}) if more and self.grows else request
        )

    def __str__(self) -> str:
        shape = "[]" if self.items else ""
        return f"{self.dialect.name}{self.one.head.path}{shape}{' with ids' if self.ids else ''}"


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """Return of each dialect an endpoint for one event and one for many, each without ids and with them, if it can."""
    found: dict[Sort, Endpoint] = {}
    for each in subjects().values():
        for sort, endpoint in _tried(each, found):
            found[sort] = endpoint
    return tuple(found.values())


Sort = tuple[str, bool, bool]
"""The dialect's name, whether it takes many events, and whether they have ids."""


def _tried(subject: Subject, found: Collection[Sort]) -> Iterator[tuple[Sort, Endpoint]]:
    kind = subject.dialect.kinds[0]
    assert kind.places, f"{subject.dialect.name}: say in `places` where a request shows a {kind.name}"
    for sample in subject.samples:
        has_ids = any(item.message_id for item in sample.submission.items)
        one = without_credentials(sample)
        if one is None or not isinstance(json_of(one), dict | list):
            continue
        bare = SentRequest(one.method, one.target, {"Content-Type": "application/json"}, one.body)
        for request, items in _shapes(bare):
            sort = (subject.dialect.name, items is not None, has_ids)
            endpoint = None if sort in found else _with_mark(subject, sample, request, items)
            if endpoint is not None:
                yield sort, attrs.evolve(endpoint, grows=_keeps_its_mark(endpoint, {"padding": "x" * 9000}))


def _shapes(request: SentRequest) -> Iterator[tuple[SentRequest, Place | None]]:
    """Yield a request as it is, in an array of one, and with each of its arrays cut to one item."""
    body = json_of(request)
    if isinstance(body, dict):
        yield request, None
        yield with_body(request, json.dumps([body]).encode()), ROOT
    for place in (ROOT, *places_of(request)):
        value = value_at(request, place) if place.where == "body" else None
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield with_value(request, place, value[:1]), place


def _with_mark(subject: Subject, sample: Sample, one: SentRequest, items: Place | None) -> Endpoint | None:
    """Return the endpoint if one of its texts may be anything, and is found in what is stored."""
    inside = () if items is None else (*items.path, 0)
    texts = [place for place in places_of(one, leaves=True) if isinstance(value_at(one, place), str)]
    texts = [place for place in texts if place.where == "body" and place.path[: len(inside)] == inside]
    known = {item.message_id for item in sample.submission.items if item.message_id}
    ids = tuple(place for place in texts if value_at(one, place) in known)
    tried = (Endpoint(subject.dialect, sample.route, sample, one, items, mark, ids) for mark in texts)
    return next((each for each in tried if each.mark not in ids and _keeps_its_mark(each)), None)


def _keeps_its_mark(endpoint: Endpoint, more: dict[str, object] | None = None) -> bool:
    """Return whether marked requests are accepted with one credential alone, and each mark is in one event."""
    key = key_of(endpoint.kind)
    marks = [TRIED[:1], TRIED[1:]] if endpoint.items is None else [TRIED]
    requests = [endpoint.shown(endpoint.of(*each, more=more), key) for each in marks]
    read = [endpoint.sample.parse(request) for request in requests]
    if any(isinstance(each, Refusal) or not _named(each, bool(endpoint.ids)) for each in read):
        return False
    gate = Gate.of(endpoint.dialect, [CorpusCredential(endpoint.kind.name, key)])
    if any(answer.status >= 300 for answer in gate.send(*requests)):
        return False
    stored = [body.decode() for body in gate.storage.bodies]
    return [sum(f'"{mark}"' in line for line in stored) for mark in TRIED] == [1, 1] and len(stored) == len(TRIED)


def _named(submission: Submission, has_ids: bool) -> bool:
    return [bool(item.message_id) for item in submission.items] == [has_ids] * len(submission.items)
