"""Where a dialect's clients put values: the places of all accepted requests of a corpus, those that are alike once."""

import attrs

from gateway.ingest.registry import Installed
from gateway.testing.corpus.case import Corpus
from gateway.testing.samples.places import Place, places_of
from gateway.testing.samples.sample import Sample, accepted

MOST_SPOTS = 400


@attrs.frozen
class Spot:
    """A place in the request of a sample."""

    sample: Sample
    place: Place

    def __str__(self) -> str:
        return f"{self.place} of {self.sample}"


def spots_of(installed: Installed, corpus: Corpus) -> tuple[Spot, ...]:
    """Return the places of a corpus, each in the request that has most of them.

    Two places are alike if they differ only in the indexes of arrays, in requests to one route whose items have one
    and the same schema.
    """
    samples = [(sample, places_of(sample.request)) for sample in accepted(installed, corpus)]
    samples.sort(key=lambda each: (-len(each[1]), each[0].case, each[0].step))
    found: dict[tuple[object, ...], Spot] = {}
    for sample, places in samples:
        schemas = {item.schema for item in sample.submission.items}
        schema = schemas.pop() if len(schemas) == 1 else None
        for place in places:
            found.setdefault((sample.route.name, schema, place.where, alike(place)), Spot(sample, place))
    return tuple(found.values())[:MOST_SPOTS]


def alike(place: Place) -> tuple[str, ...]:
    """Return what the paths of places have in common that differ only in the indexes of arrays."""
    return tuple(["*" if isinstance(step, int) else step for step in place.path])
