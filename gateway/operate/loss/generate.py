"""Generates events of a dialect: its samples first, then mixtures of two with parts left out. Pure, always the same."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import attrs

from gateway.dialect import flaws
from gateway.ingest.registry import Installed
from gateway.operate.loss.reading import Clock, Read, read
from gateway.operate.loss.samples import Sample

RECEIVED = Clock("2026-01-02T03:04:05.678Z", message_id="11111111-0000-7000-8000-000000000001")
MOST_ELEMENTS = 3
KEEP, MIX, ADD, SWAP = 0.85, 0.4, 0.3, 0.3
FOREIGN = 0.3
"""How often a request is mixed with one of any route, and not of its own."""


def reads(installed: Installed, samples: Sequence[Sample], number: int) -> Iterator[Read]:
    """Yield the items of the request of a number that become events: not every mixture is valid.

    Half a character is not looked at: the gateway mends it before it stores an event.
    """
    sample = sample_of(samples, number)
    route = installed.route(sample.route)
    assert route is not None, "samples are of routes that exist"
    for each in read(installed, route, sample.request(installed), RECEIVED):
        if each.event is not None and not flaws(each.event):
            yield each


def sample_of(samples: Sequence[Sample], number: int) -> Sample:
    """Return the sample of a number: beyond the last one a mixture, always the same for the same number."""
    if number < len(samples):
        return samples[number]
    random = Random(number)  # noqa: S311 (no secret is made of it)
    sample = _choice(random, samples)
    other = _choice(random, samples)
    if random.random() >= FOREIGN:
        other = _choice(random, [each for each in samples if each.route == sample.route])
    return attrs.evolve(
        sample,
        query=_mixed(random, dict(sample.query), dict(other.query)),
        headers=other.headers if random.random() < SWAP else sample.headers,
        client_ip=other.client_ip if random.random() < SWAP else sample.client_ip,
        body=_mixed(random, sample.body, other.body),
    )


def _mixed(random: Random, one: Any, other: Any) -> Any:
    """Return a JSON value with some members left out, and some of another value added."""
    if isinstance(one, dict):
        added = other if isinstance(other, dict) else {}
        mixed = {
            key: _mixed(random, value, added[key]) if key in added and random.random() < MIX else value
            for key, value in one.items()
            if random.random() < KEEP
        }
        return mixed | {key: value for key, value in added.items() if key not in one and random.random() < ADD}
    if isinstance(one, list):
        fillers = other if isinstance(other, list) and other else [None]
        return [_mixed(random, each, fillers[index % len(fillers)]) for index, each in enumerate(one[:MOST_ELEMENTS])]
    return one if other is None or random.random() >= SWAP or type(one) is not type(other) else other


def _choice(random: Random, samples: Sequence[Sample]) -> Sample:
    return samples[int(random.random() * len(samples))]  # of which Python promises that it stays the same
