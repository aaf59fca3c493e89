"""The worst requests that we know, to each dialect, and well-formed ones of the same size. No IO here.

A body is as large as its dialect lets it be, unless a smaller one is worse. What only one dialect has to fear is in
tests/dialects/<dialect>/hostile.py.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial

import attrs

from gateway.testing.samples.places import Place, json_of, places_of, value_at, with_raw
from gateway.testing.samples.variants import with_body
from tests.faults.traffic import Keys
from tests.faults.wire import request
from tests.kit.bounds import Hostile
from tests.kit.endpoints import Endpoint, endpoints
from tests.kit.of_dialects import modules, subjects
from tests.security.hostile_bodies import ITEMS, NO_JSON, VALUES
from tests.security.hostile_http import HEADS, WIRE
from tests.security.pieces import MOST_ITEMS, SPARE, Made, fill, names, zipped


@attrs.frozen
class Target:
    """The endpoints of a dialect that hostile requests go to: for one event, and for many if it takes batches."""

    name: str
    one: Endpoint
    many: Endpoint | None

    @property
    def cap(self) -> int:
        """Return how large a body may be, in bytes."""
        return self.one.dialect.body_cap

    @property
    def subject(self) -> str:
        """Return the member of an item that names the person, or else one whose text is kept."""
        [event] = self.one.sample.events
        named = (event.get("user_id"), event.get("anonymous_id"))
        texts = [place for place in places_of(self.one.one, leaves=True) if len(place.path) == 1]
        found = [place for place in texts if value_at(self.one.one, place) in named and place not in self.one.ids]
        return str((found or [self.one.mark])[0].path[0])

    def item(self, keys: Keys, more: bytes, without: str = "") -> Hostile:
        """Return a request with one item that has further members, and one member less."""
        shown = self.one.shown(self.one.one, keys[self.name])
        members = {name: value for name, value in json_of(shown).items() if name not in (without, "properties")}
        inside = json.dumps(members, separators=(",", ":")).encode()[1:-1]
        return zipped(with_body(shown, b"{%s}" % b",".join(part for part in (inside, more) if part)), 1)

    def bare(self, keys: Keys, body: bytes) -> Hostile:
        """Return a request with a body that is no item."""
        return zipped(with_body(self.one.shown(self.one.one, keys[self.name]), body), 1)

    def batch(self, keys: Keys, items: bytes, count: int) -> Hostile:
        """Return a request with a batch of items, which are one text."""
        assert self.many is not None, f"{self.name} takes no batches"
        place = self.many.items or Place("body", ())
        shown = self.many.shown(self.many.one, keys[self.name])
        return zipped(with_raw(shown, place, b"[%s]" % items), count)


@cache
def targets() -> tuple[Target, ...]:
    """Return the targets of all dialects that take an event in a JSON object."""
    found = []
    for name in subjects():
        own = sorted((each for each in endpoints() if each.dialect.name == name), key=lambda each: bool(each.ids))
        ones, batches = [each for each in own if not each.items], [each for each in own if each.items]
        if ones:
            found.append(Target(name, ones[0], batches[0] if batches else None))
    return tuple(found)


ORDINARY = json.dumps(
    {
        "url": "https://shop.example/products/42?ref=mail",
        "title": "A product's page",
        "plan": "pro",
        "amount": 129.5,
        "seats": 3,
        "is_new": True,
        "tags": ["a", "b"],
        "cart": [{"sku": "sku-1", "price": 12.5, "count": 2}],
    },
    separators=(",", ":"),
).encode()


def well_formed(keys: Keys, size: int) -> Hostile:
    """Return a request whose body is ordinary events, of up to a size: what the bounds of CPU are held against.

    They are Databuddy's, as an example: all figures of docs/security.md are held against the same.
    """
    piece = b'{"name":"seen","anonymousId":"u-00000000","properties":%s}' % ORDINARY
    items = [piece.replace(b"00000000", b"%08d" % at) for at in range(max(1, size // (len(piece) + 1)))]
    body = b"[%s]" % b",".join(items)
    return Hostile(request("/track", body, {"Authorization": f"Bearer {keys['databuddy']}"}), len(body), len(items))


@attrs.frozen
class Case:
    """A hostile request: its name and, given the credentials, itself. Those `together` are also sent in a row."""

    name: str
    made: Made
    together: bool = True


def cases(*, every: bool = False) -> Iterator[Case]:
    """Yield the hostile requests.

    Without `every`, each kind of body is sent to one dialect only, the next one for each kind, and items to two: the
    one that takes the largest bodies, and one of the others.
    """
    for turn, (kind, body_of) in enumerate(BODIES.items()):
        for target in targets() if every else (targets()[turn % len(targets())],):
            yield Case(f"{target.name}: {kind}", partial(body_of, target), together=turn % 4 == 0)
    yield from _of_items(every)
    for target in targets():
        for kind, more in FIELDS.items():
            yield Case(f"{target.name}: {kind}", partial(more, target), together=target is targets()[-1])
    for dialect, module in modules("hostile").items():
        yield from (Case(f"{dialect}: {name}", made) for name, made in module.HOSTILE.items())
    yield from (Case(name, made) for name, made in {**HEADS, **_own_heads(), **WIRE}.items())


def _own_heads() -> dict[str, Made]:
    own = {dialect: getattr(module, "HEADS", {}) for dialect, module in modules("hostile").items()}
    return {f"head of {dialect}: {name}": made for dialect, heads in own.items() for name, made in heads.items()}


def _of_items(every: bool) -> Iterator[Case]:
    largest, *others = sorted((each for each in targets() if each.many), key=lambda each: -each.cap)
    for turn, (kind, item) in enumerate(ITEMS.items()):
        second = others if every or not others else [others[turn % len(others)]]
        for count, target in itertools.product((MOST_ITEMS, MOST_ITEMS + 1), (largest, *second)):
            made = partial(_with_items, target, item, count)
            yield Case(f"{target.name}: {count} items {kind}", made, together=target is not largest)


def _with_value(target: Target, keys: Keys, *, value: Callable[[int], bytes]) -> Hostile:
    return target.item(keys, b'"properties":%s' % value(target.cap - SPARE))


def _bare(target: Target, keys: Keys, *, body: Callable[[int], bytes]) -> Hostile:
    return target.bare(keys, body(target.cap - SPARE))


def _with_items(target: Target, item: bytes, count: int, keys: Keys) -> Hostile:
    return target.batch(keys, b",".join([item] * count), count)


BODIES: Mapping[str, Callable[[Target, Keys], Hostile]] = {
    **{kind: partial(_with_value, value=value) for kind, value in VALUES.items()},
    **{kind: partial(_bare, body=body) for kind, body in NO_JSON.items()},
}


def _with_subject(target: Target, keys: Keys, *, value: Callable[[int], bytes]) -> Hostile:
    more = b'"%s":%s' % (target.subject.encode(), value(target.cap - SPARE))
    return target.item(keys, more, without=target.subject)


def _with_unknown(target: Target, keys: Keys) -> Hostile:
    return target.item(keys, names(min(120_000, (target.cap - SPARE) // 11)))


def of_objects(size: int) -> bytes:
    """Return an id that is a list of objects."""
    return b"[%s]" % fill(b"{}", min(size, 3 * 245_000))


def of_text(size: int) -> bytes:
    """Return an id of nearly all the body."""
    return b'"%s"' % (b"u" * size)


def beside_objects(_size: int) -> bytes:
    """Return an id that is no text, with small objects beside it."""
    return b'[],"a":[%s]' % fill(b'{"k":"x"}', 10 * 120_000)


FIELDS: Mapping[str, Callable[[Target, Keys], Hostile]] = {
    "an id that is a list of objects": partial(_with_subject, value=of_objects),
    "an id of all the body": partial(_with_subject, value=of_text),
    "fields that nobody knows": _with_unknown,
    "an id that is no text, and small objects": partial(_with_subject, value=beside_objects),
}
"""What is in the wrong place, or too much in the right one."""
