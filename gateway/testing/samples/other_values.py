"""Other values for a place of a request that are likely to be valid there: the corpus's own, and near ones. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from gateway.dialect import Route
from gateway.ingest.registry import Installed
from gateway.ingest.router import Router
from gateway.testing.corpus.case import Corpus
from gateway.testing.samples.places import Place, places_of, value_at
from gateway.testing.samples.sample import LARGE
from gateway.testing.samples.spots import Spot, alike

MOST = 12
"""How many other values there are of a place."""
LONGEST = 200
"""Characters of a value that is tried in another place."""
_YEAR, _DAY, _HOUR = (
    re.compile(r"^(\d{4})(?=-\d\d)"),
    re.compile(r"(?<=^\d{4}-\d\d-)(\d\d)"),
    re.compile(r"(?<=[T ])(\d\d)(?=:)"),
)
_LAST_DIGIT = re.compile(r"\d(?=\D*$)", re.ASCII)

Key = tuple[object, ...]


class OtherValues:
    """The values of a corpus by where they stand, those of refused requests too."""

    def __init__(self, installed: Installed, corpus: Corpus) -> None:
        self._schemas = {name: schema.document for name, schema in installed.schemas.items()}
        self._seen: dict[Key, list[object]] = {}
        router = Router((installed,), {})
        for request in (request for case in corpus.cases for request in case.requests if len(request.body) <= LARGE):
            match = router.match(request.head.headers.get("host", ""), request.method, request.head.path)
            if match is None or not isinstance(match.endpoint, Route):
                continue
            for place in places_of(request):
                value = value_at(request, place)
                if len(str(value)) <= LONGEST:
                    self._seen.setdefault(_key(match.endpoint.name, place), []).append(value)

    def of(self, spot: Spot) -> list[object]:
        """Return other values for a place: near ones, those of the corpus, and those that a schema lists."""
        request, place = spot.sample.request, spot.place
        value = value_at(request, place)
        if value and isinstance(value, dict | list):
            return []
        seen = self._seen.get(_key(spot.sample.route.name, place), [])
        schemas = [self._schemas[name] for name in {item.schema for item in spot.sample.submission.items}]
        listed = [each for schema in schemas for each in _listed(schema, str(place.path[-1]))]
        found: list[object] = []
        for other in (*_near(value), *seen, *listed):
            is_nothing = not value and not other  # null, "" and 0 may all mean that a client does not know
            if not is_nothing and _sent(place, other) not in map(partial(_sent, place), (value, *found)):
                found.append(other)
        return found[:MOST]


def _near(value: object) -> Iterator[object]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield from (value + 1, value - 1)
        case str():
            yield _YEAR.sub(lambda year: f"{max(int(year[1]) - 1, 0):04}", value)
            yield _DAY.sub(lambda day: "02" if day[1] == "01" else "01", value)
            yield _HOUR.sub(lambda hour: "01" if hour[1] == "00" else "00", value)
            yield _LAST_DIGIT.sub(lambda digit: "3" if digit[0] == "2" else "2", value)


def _listed(schema: Any, name: str) -> Iterator[object]:
    """Yield the values that a schema lists for the fields of a name, wherever they are."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        rules = properties.get(name) if isinstance(properties, Mapping) else None
        yield from _enums(rules)
        for child in schema.values():
            yield from _listed(child, name)
    elif isinstance(schema, list):
        for child in schema:
            yield from _listed(child, name)


def _enums(rules: Any) -> Iterator[object]:
    if isinstance(rules, Mapping):
        values = rules.get("enum")
        yield from values if isinstance(values, list) else ()
        for keyword in ("anyOf", "oneOf", "allOf"):
            for part in rules.get(keyword, ()):
                yield from _enums(part)


def _key(route: str, place: Place) -> Key:
    return route, place.where, alike(place)


def _sent(place: Place, value: object) -> str:
    """Return how a value is written, by which True is not 1, but 1.0 is."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if place.where == "query" and isinstance(value, str) else json.dumps(value)
