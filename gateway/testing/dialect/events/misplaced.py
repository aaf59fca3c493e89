"""The check that a well-known fact does not become a property, where the dialect picks what becomes one."""

from collections.abc import Iterator
from functools import partial

from gateway.testing.check import Check, Cost, require
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.chosen import objects
from gateway.testing.samples.places import value_at, with_member
from gateway.testing.samples.readings import events, of_sample
from gateway.testing.samples.sample import Sample
from gateway.testing.subject import Subject

NAMES = (
    *("userAgent", "user_agent", "ip", "locale", "language", "lang", "timezone", "referrer", "referer"),
    *("pageUrl", "page_url", "pageTitle", "page_title", "utm_source", "utm_medium", "utm_campaign", "utmSource"),
    *("userId", "user_id", "anonymousId", "anonymous_id", "sessionId", "session_id", "sentAt", "sent_at"),
)
"""Usual names of facts that have a place of their own in an event, or that a dialect does not know."""
FACT, OWN = "kit-fact", "kit-own"


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the check."""
    yield Check("facts/what is no property does not become one by its name", partial(_none, subject), Cost.GENERATED)


def _none(subject: Subject) -> None:
    for sample, place in objects(subject):
        if _of_properties(subject, sample, with_member(sample.request, place, "kit", f'"{OWN}"'.encode()), OWN):
            continue  # whatever is in this object becomes a property: a client's own words
        for name in NAMES:
            if name in value_at(sample.request, place):
                continue
            request = with_member(sample.request, place, name, f'"{FACT}"'.encode())
            require(
                not _of_properties(subject, sample, request, FACT),
                f"{sample} with {name} in {place}: `translate` makes a property of it, and none of an unknown member",
                "put it into its canonical place (docs/events.md), or leave it to `unknown_fields`",
            )


def _of_properties(subject: Subject, sample: Sample, request: SentRequest, value: str) -> bool:
    reading = of_sample(sample, request)
    made = () if reading is None else events(subject.installed, reading)
    return any(value in event.properties.values() for _, _, event in made)
