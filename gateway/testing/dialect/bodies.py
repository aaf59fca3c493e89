"""Checks that whatever is sent is answered: with no 5xx, in the dialect's own words, and what is kept is canonical."""

import json
from collections.abc import Callable, Iterator
from functools import partial

import attrs

from gateway.testing.check import Check, Cost
from gateway.testing.samples.chosen import objects, two_of_each_route
from gateway.testing.samples.places import Place, places_of, value_at, with_member, with_raw, without
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.variants import with_body
from gateway.testing.subject import Subject
from gateway.testing.trial import hostile
from gateway.testing.trial.trial import Trial, Tried, try_all
from gateway.testing.wording import escaped, with_the_body

EXAMPLES = 100


def checks(subject: Subject) -> Iterator[Check]:
    """Yield a check for each sort of what should not be sent."""
    yield Check("bodies/any bytes are answered", partial(_any_bytes, subject), Cost.GENERATED)
    yield Check("bodies/any odd body is answered", partial(_all, subject, _odd_bodies))
    for name, values in hostile.VALUES.items():
        yield Check(
            f"bodies/{name} at any place is answered",
            partial(_all, subject, partial(_everywhere, values)),
            Cost.GENERATED,
        )
    for name, values in hostile.UNDECODABLE.items():
        yield Check(f"bodies/{name} is answered", partial(_all, subject, partial(_somewhere, values)))
    yield Check("bodies/a member that is left out at any place is answered", partial(_all, subject, _left_out))
    yield Check("bodies/an unknown member is answered", partial(_all, subject, _unknown_members))
    yield Check("bodies/a key twice is answered", partial(_all, subject, _doubled_keys))
    yield Check("bodies/any odd query is answered", partial(_all, subject, _queries), Cost.GENERATED)
    yield Check("bodies/any odd header is answered", partial(_all, subject, _headers), Cost.GENERATED)


def _all(subject: Subject, made: Callable[[Subject], Iterator[Tried]]) -> None:
    try_all(subject, made(subject))


def _odd_bodies(subject: Subject) -> Iterator[Tried]:
    for sample in two_of_each_route(subject):
        for body in hostile.bodies(sample.request.body):
            yield f"{sample} {with_the_body(body)}", with_body(sample.request, body)


def _everywhere(values: tuple[bytes, ...], subject: Subject) -> Iterator[Tried]:
    for spot in subject.spots:
        if spot.place.where == "body":
            yield from _with_each(values, spot.sample, spot.place)


def _somewhere(values: tuple[bytes, ...], subject: Subject) -> Iterator[Tried]:
    for sample in two_of_each_route(subject):
        places = [place for place in places_of(sample.request) if place.where == "body"]
        for place in places[:1] + places[1:][-1:]:
            yield from _with_each(values, sample, place)


def _with_each(values: tuple[bytes, ...], sample: Sample, place: Place) -> Iterator[Tried]:
    for raw in values:
        yield f"{sample} with {escaped(raw)} at {place}", with_raw(sample.request, place, raw)


def _left_out(subject: Subject) -> Iterator[Tried]:
    for spot in subject.spots:
        yield f"{spot.sample} without {spot.place}", without(spot.sample.request, spot.place)


def _unknown_members(subject: Subject) -> Iterator[Tried]:
    for sample, place in objects(subject):
        for name in ("kit unknown", "", "a/~.b", "__proto__", "\ud83d", "k" * 5000):
            what = f"{sample} with an unknown member {escaped(ascii(name)[1:-1].encode())} in {place}"
            yield what, with_member(sample.request, place, name, b'[{"x":null}]')


def _doubled_keys(subject: Subject) -> Iterator[Tried]:
    for sample, place in objects(subject):
        value = value_at(sample.request, place)
        for name in value:
            first = b"{%s:null," % json.dumps(name).encode()
            twice = with_raw(sample.request, place, first + json.dumps(value).encode()[1:])
            yield f"{sample} with the key {name!a} twice in {place}", twice


def _queries(subject: Subject) -> Iterator[Tried]:
    for spot in subject.spots:
        if spot.place.where == "query":
            for raw in hostile.IN_QUERIES:
                what = f"{spot.sample} with {escaped(raw)} as {spot.place}"
                yield what, with_raw(spot.sample.request, spot.place, raw)
    for sample in two_of_each_route(subject):
        request = sample.request
        path, _, own = request.target.partition("?")
        for query in hostile.QUERIES:
            yield f"{sample} with the query {query}", attrs.evolve(request, target=f"{path}?{query}")
            yield f"{sample} with {query} behind its query", attrs.evolve(request, target=f"{path}?{own}&{query}")


def _headers(subject: Subject) -> Iterator[Tried]:
    for sample in two_of_each_route(subject):
        for address in (None, "203.0.113.7", "2001:db8::1"):
            yield f"{sample} from the address {address}", attrs.evolve(sample.request, client_ip=address)
        for name in dict.fromkeys((*hostile.HEADERS, *sample.request.headers)):
            yield f"{sample} without the header {name}", sample.request.with_header(name, None)
            for value in hostile.IN_HEADERS:
                what = f"{sample} with the header {name}: {escaped(value.encode('utf-8', 'surrogateescape'))}"
                yield what, sample.request.with_header(name, value)


def _any_bytes(subject: Subject) -> None:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    if not subject.samples:
        return
    pieces = st.sampled_from(
        [b"", b"\x00", b"\xff", b"null", b"[", b"}", b'"\\ud800"', b"1e999", b"9" * 30, b"-1", b'""']
    )
    cuts = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), pieces), max_size=4)
    phases = (Phase.explicit, Phase.generate, Phase.shrink)
    with Trial(subject) as trial:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        )
        @given(sample=st.sampled_from(subject.samples), other=st.none() | st.binary(max_size=64), cuts=cuts)
        def answered(sample: Sample, other: bytes | None, cuts: list[tuple[float, int, bytes]]) -> None:
            body = _cut(sample.request.body, cuts) if other is None else other
            what = f"{sample} {with_the_body(body)}"
            trial.send(what, with_body(sample.request, body))

        answered()


def _cut(body: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
    """Return a body in which some bytes are replaced: at what part of its length, how many, and by which."""
    data = bytearray(body)
    for part, length, piece in cuts:
        at = int(part * len(data))
        data[at : at + length] = piece
    return bytes(data)
