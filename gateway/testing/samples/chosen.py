"""The samples and the places in them that several families look at."""

from collections.abc import Iterator

from gateway.dialect import Submission
from gateway.testing.samples.places import ROOT, Place, json_of, places_of, value_at, with_value
from gateway.testing.samples.sample import Sample
from gateway.testing.subject import Subject


def objects(subject: Subject) -> Iterator[tuple[Sample, Place]]:
    """Yield every place of a body where an object is, whole bodies that are one among them."""
    for sample in subject.samples:
        if isinstance(json_of(sample.request), dict):
            yield sample, ROOT
    for spot in subject.spots:
        if spot.place.where == "body" and isinstance(value_at(spot.sample.request, spot.place), dict):
            yield spot.sample, spot.place


def arrays(sample: Sample) -> list[Place]:
    """Return the places of a sample's body where an array has its items: with one element more it has one item more."""
    count = len(sample.submission.items)
    found = []
    for place in (ROOT, *places_of(sample.request)):
        value = value_at(sample.request, place) if place.where == "body" else None
        if isinstance(value, list) and value:
            longer = sample.parse(with_value(sample.request, place, [*value, value[-1]]))
            if isinstance(longer, Submission) and len(longer.items) == count + 1:
                found.append(place)
    return found


def one_of_each_route(subject: Subject) -> list[Sample]:
    """Return the smallest sample of each route."""
    by_route: dict[str, Sample] = {}
    for sample in subject.samples:
        by_route.setdefault(sample.route.name, sample)
    return list(by_route.values())


def two_of_each_route(subject: Subject) -> list[Sample]:
    """Return the smallest and the largest sample of each route, one where there is only one."""
    by_route: dict[str, list[Sample]] = {}
    for sample in subject.samples:
        by_route.setdefault(sample.route.name, []).append(sample)
    return [sample for samples in by_route.values() for sample in samples[:1] + samples[1:][-1:]]
