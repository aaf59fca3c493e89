"""Requests of all dialects in which every item bears a mark of its own. No IO here.

Of each dialect there are its endpoints (tests/kit/endpoints.py), and what tests/dialects/<dialect>/traffic.py adds.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import attrs

from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.variants import with_idempotency_key
from tests.kit.endpoints import Endpoint, endpoints, raw
from tests.kit.of_dialects import modules, subjects

MARK = re.compile(r"mark-[0-9]+-[0-9]+")
PADDING = "x" * 400
ITEMS = 5
"""Items of a batch. With ids, the first one is there once more at its end: twice in one batch is once."""
Keys = Mapping[str, str]
_GIVEN = re.compile(r"^(.+) \((\w+): (\S+)\)$", re.MULTILINE)


@attrs.frozen
class Sent:
    """One request to a dialect. `marks` are of its events, `quarantined` of its items that get quarantined.

    `safe` says that it may be sent again: it carries ids or an Idempotency-Key, `keyed` that the latter.
    """

    kind: str
    dialect: str
    request: SentRequest
    marks: tuple[str, ...]
    quarantined: tuple[str, ...] = ()
    safe: bool = True
    keyed: bool = False
    raw: bytes = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        """Write the request once: it is sent again and again."""
        object.__setattr__(self, "raw", raw(self.request))


Maker = Callable[[int], Sent]
"""Makes request number so-and-so."""


def keys_of(greeting: str) -> Keys:
    """Return the credential that a first start gives for each dialect."""
    names = {each.dialect.title: name for name, each in subjects().items()}
    return {names[title]: value for title, _kind, value in _GIVEN.findall(greeting) if title in names}


def marks_in(text: str) -> list[str]:
    """Return the marks in a text, in its order."""
    return MARK.findall(text)


def kinds(keys: Keys, size: int = 1) -> tuple[Maker, ...]:
    """Return what makes request number so-and-so, for each kind of request; items are `size` paddings large."""
    padding = PADDING * size
    made = [maker for endpoint in endpoints() for maker in _makers(endpoint, keys[endpoint.dialect.name], padding)]
    for name, module in modules("traffic").items():
        made += module.kinds(keys[name], padding)
    return tuple(made)


def _makers(endpoint: Endpoint, key: str, padding: str) -> Iterator[Maker]:
    yield partial(_made, endpoint, key, padding)
    if not endpoint.ids and not endpoint.items:
        yield partial(_made, endpoint, key, padding, safe=False)


def _made(endpoint: Endpoint, key: str, padding: str, number: int, *, safe: bool = True) -> Sent:
    marks = tuple(f"mark-{number}-{index}" for index in range(ITEMS if endpoint.items else 1))
    again = marks[:1] if endpoint.items and endpoint.ids else ()
    request = endpoint.shown(endpoint.of(*marks, *again, more={"padding": padding}), key)
    keyed = safe and not endpoint.ids
    if keyed:
        request = with_idempotency_key(request, f"key-{number}")
    kind = f"{endpoint}{'' if safe else ' without a key'}"
    return Sent(kind, endpoint.dialect.name, request, marks, safe=safe, keyed=keyed)
