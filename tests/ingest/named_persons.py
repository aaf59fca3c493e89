"""A request of each dialect in which a person is named: the dialect's own tests have one, or its corpus has."""

from collections.abc import Mapping
from typing import Any

import attrs

from gateway.testing import Subject
from gateway.testing.samples.places import json_of, places_of, value_at, with_value
from tests.kit.of_dialects import modules, subjects
from tests.kit.opened_by import opened_by

WHO = "canary-person"
ADDRESS = "203.0.113.77"


@attrs.frozen(kw_only=True)
class Said:
    """A request with the key that opens it. Of its event, what is left when the person is not to be known; an id that
    the gateway makes is None. `properties` is None where that is not known.
    """

    kind: str
    key: str
    path: str
    body: Any
    headers: Mapping[str, str]
    message_id: str | None = None
    properties: Mapping[str, object] | None = None


def said() -> dict[str, Said]:
    """Return a request of each dialect, by its name; of a dialect whose corpus names nobody there is none."""
    own = {name: each.SAID for name, each in modules("privacy").items()}
    each = {name: own.get(name) or found_in(subject) for name, subject in subjects().items()}
    return {name: found for name, found in each.items() if found is not None}


def found_in(subject: Subject) -> Said | None:
    """Return a sample of a corpus, with another person in the place of the one that its event names."""
    for sample in subject.samples:
        persons = [event[name] for event in sample.events for name in ("user_id", "anonymous_id") if event[name]]
        key = opened_by(subject, sample)
        for place in places_of(sample.request, leaves=True):
            if key is not None and place.where == "body" and value_at(sample.request, place) in persons:
                sent = with_value(sample.request, place, WHO)
                return Said(kind=key.kind, key=key.value, path=sent.target, body=json_of(sent), headers=sent.headers)
    return None
