"""Requests in which all texts that a client chooses freely are others at once. Pure."""

import copy
import json
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlencode

import attrs

from gateway.dialect import Submission
from gateway.ingest.registry import Installed
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.places import Place, json_of, value_at, with_value
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.spots import Spot

HEADERS = ("User-Agent", "Origin", "Referer", "Accept-Language")


@attrs.frozen
class Texts:
    """The places of a sample where it has texts: `free` ones, where any text is accepted, and `strict` ones."""

    sample: Sample
    free: tuple[Place, ...]
    strict: tuple[Place, ...]

    def changed(self, change: Callable[[str], str]) -> SentRequest:
        """Return the request with another text at each free place."""
        request = self.sample.request
        names = {str(place.path[0]) for place in self.free if place.where == "query"}
        if names:
            path, _, query = request.target.partition("?")
            pairs = [
                (name, change(value) if name in names else value)
                for name, value in parse_qsl(query, keep_blank_values=True)
            ]
            request = attrs.evolve(request, target=f"{path}?{urlencode(pairs)}")
        of_body = [place for place in self.free if place.where == "body"]
        if not of_body:
            return request
        body = copy.deepcopy(json_of(request))
        for place in of_body:
            holder = body
            for step in place.path[:-1]:
                holder = holder[step]
            holder[place.path[-1]] = change(holder[place.path[-1]])
        return attrs.evolve(request, body=json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def texts_of(installed: Installed, spots: tuple[Spot, ...]) -> Iterator[Texts]:
    """Yield the texts of each sample that a spot is in, without its credentials."""
    by_sample: dict[tuple[str, int], list[Spot]] = {}
    for spot in spots:
        by_sample.setdefault((spot.sample.case, spot.sample.step), []).append(spot)
    for found in by_sample.values():
        sample = found[0].sample
        known = {credential.value for credential in sample.submission.credentials}
        free: list[Place] = []
        strict: list[Place] = []
        for spot in found:
            value = value_at(sample.request, spot.place)
            if isinstance(value, str) and value not in known:
                is_free = is_accepted(installed, sample, with_value(sample.request, spot.place, f"{value}x"))
                (free if is_free else strict).append(spot.place)
        yield Texts(sample, tuple(free), tuple(strict))


def is_accepted(installed: Installed, sample: Sample, request: SentRequest) -> bool:
    """Return whether each item of another request meets its schema."""
    read = sample.parse(request)
    return (
        isinstance(read, Submission)
        and read.fault is None
        and all(each.fault is None and installed.schemas[each.schema].is_valid(each.payload) for each in read.items)
    )


def with_credential(sample: Sample, text: str) -> Iterator[SentRequest]:
    """Yield a sample's request with a text in the place of a credential, in each header that has one."""
    known = [credential.value for credential in sample.submission.credentials]
    for name, value in sample.request.headers.items():
        for credential in known:
            if credential and credential in value:
                yield sample.request.with_header(name, value.replace(credential, text))


def with_headers(sample: Sample, text: str) -> SentRequest:
    """Return a sample's request with a text in each header that says who visits."""
    request = sample.request
    for name in HEADERS:
        request = request.with_header(name, text)
    return request
