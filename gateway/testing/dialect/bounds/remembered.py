"""Checks that a dialect holds nothing of what came: strangers send it, and it would grow until the memory is full.

An `lru_cache` with a bound may hold short texts, such as sizes of screens: that is little, whoever sends it.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Set
from functools import partial
from types import CellType, FunctionType
from typing import Any

import attrs

from gateway.testing.check import Check, fail
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.everywhere import Texts
from gateway.testing.samples.readings import event_of, items, of_sample, received
from gateway.testing.subject import Subject

Holder = tuple[str, Set[int] | int]

REQUESTS = 40
MOST = 30  # new entries after so many requests: as many as there are words of a protocol, not of its clients
LONG = 300  # characters, for which no cache is there
DEEPEST = 4
"""How far from its module a container is looked for: a cache may be an attribute of an object in a dict."""


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the check."""
    yield Check("purity/nothing is held of what came", partial(_held, subject))


def _held(subject: Subject) -> None:
    for more in ("", "x" * LONG):
        before: dict[str, Set[int] | int] = {}
        for texts in _richest_of_each_route(subject):
            requests = list(_requests(texts, more))
            _translate(subject, texts, requests[0])
            before = before or dict(_holders(subject, is_long=bool(more)))
            for request in requests:
                _translate(subject, texts, request)
            after = dict(_holders(subject, is_long=bool(more)))
            for name, holds in after.items():
                grown = _grown(before.get(name), holds)
                if grown > MOST:
                    fail(
                        f"{texts.sample}, sent {REQUESTS} times with other values: {name} took up {grown} new entries",
                        "hold nothing between two requests, in no cache without a bound and none of long texts:"
                        " translate what comes each time anew",
                    )
            before = after


def _richest_of_each_route(subject: Subject) -> list[Texts]:
    found: dict[str, Texts] = {}
    for texts in subject.texts:
        found.setdefault(texts.sample.route.name, texts)
    return list(found.values())


def _requests(texts: Texts, more: str) -> Iterator[SentRequest]:
    for number in range(REQUESTS):
        request = texts.changed(lambda text, number=number: f"{text}-{number}{more}")  # type: ignore[misc]  # is called now
        yield request.with_header("User-Agent", f"kit {number}{more}").with_header(
            "Referer", f"https://kit.example/{number}{more}"
        )


def _translate(subject: Subject, texts: Texts, request: SentRequest) -> None:
    reading = of_sample(texts.sample, request)
    if reading is not None:
        told = received(subject.installed, reading)
        for _, item in items(subject.installed, reading):
            event_of(reading.route, item, told)


def _grown(before: Set[int] | int | None, after: Set[int] | int) -> int:
    if isinstance(after, int):
        return after - (before if isinstance(before, int) else 0)
    return len(after - before) if isinstance(before, Set) else len(after)


def _holders(subject: Subject, *, is_long: bool) -> Iterator[Holder]:
    """Yield what holds values in the modules of a dialect: its name, and its keys, or how much it took up so far.

    Caches that are bounded are among them only if `is_long`.
    """
    functions: list[Callable[..., Any]] = [subject.dialect.refuse]
    for route in subject.installed.routes:
        functions += [route.parse, route.translate, route.render]
    packages = {str(getattr(each, "__module__", "")).partition(".")[0] for each in functions} - {"gateway", "functools"}
    roots = [(getattr(each, "__qualname__", "a function"), each) for each in functions]
    for module in [name for name in sys.modules if name.partition(".")[0] in packages]:
        roots += [(f"{module}.{name}", value) for name, value in vars(sys.modules[module]).items() if name[:2] != "__"]
    search = _Search(frozenset(packages), is_long)
    for name, value in roots:
        yield from search.within(value, name, DEEPEST)


@attrs.frozen
class _Search:
    """Looks for containers in objects of some packages, each once."""

    packages: frozenset[str]
    is_long: bool
    seen: set[int] = attrs.field(factory=set)

    def within(self, value: Any, name: str, left: int) -> Iterator[Holder]:
        """Yield a value if it is a container, and those in it."""
        if not left or id(value) in self.seen or isinstance(value, str | bytes | int | float | None):
            return
        self.seen.add(id(value))
        if hasattr(type(value), "cache_info") and not isinstance(value, type):
            if self.is_long or value.cache_info().maxsize is None:
                yield name, value.cache_info().misses
        elif isinstance(value, Mapping | Set):
            yield name, {hash(key) for key in value}
        elif isinstance(value, list | deque):
            yield name, len(value)
        for inner_name, inner in self._inner(value, name):
            yield from self.within(inner, inner_name, left - 1)

    def _inner(self, value: Any, name: str) -> list[tuple[str, Any]]:
        if isinstance(value, Mapping):
            return [(f"{name}[{key!a}]", each) for key, each in list(value.items())[:MOST]]
        if isinstance(value, FunctionType) and value.__closure__:
            cells = zip(value.__code__.co_freevars, value.__closure__, strict=True)
            return [(f"{free} of {name}", cell.cell_contents) for free, cell in cells if _is_set(cell)]
        if hasattr(type(value), "cache_info"):
            return [(name, value.__wrapped__)]
        if str(getattr(value, "__module__", "")).partition(".")[0] in self.packages and hasattr(value, "__dict__"):
            return [(f"{name}.{key}", each) for key, each in list(vars(value).items()) if key[:2] != "__"]
        return []


def _is_set(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False
