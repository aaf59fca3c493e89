"""What can be made of a sample without knowing its protocol: `parse` says whether a change did what it should. Pure."""

import uuid
from collections.abc import Callable, Iterator

import attrs

from gateway.dialect import Refusal
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.places import Place, places_of, value_at, with_value, without
from gateway.testing.samples.sample import Sample

MOST_DROPPED = 8


def without_credentials(sample: Sample) -> SentRequest | None:
    """Return a sample's request without what `parse` reads as credentials; None if that cannot be left out.

    Headers, query parameters and members of the body are left out one after the other, until `parse` finds none.
    """
    request = sample.request
    for _ in range(MOST_DROPPED):
        left = _credentials(sample, request)
        if not left:
            return request
        smaller = next((each for each in _one_less(request) if _fewer(sample, each, left)), None)
        if smaller is None:
            return None
        request = smaller
    return None


def fresh(sample: Sample, suffix: int | str) -> SentRequest:
    """Return a sample's request with client's ids of its own, so that its events are new; the same one if it has none.

    An id that is a UUID becomes another UUID, any other one gets the suffix behind it.
    """
    return with_ids(sample, lambda value: _another_id(value, suffix))


def with_ids(sample: Sample, change: Callable[[str], str]) -> SentRequest:
    """Return a sample's request with each client's id changed."""
    request = sample.request
    for place in _places_of_ids(sample):
        request = with_value(request, place, change(value_at(request, place)))
    return request


def without_ids(sample: Sample) -> SentRequest:
    """Return a sample's request without its client's ids; the same one if they stand in no place of their own."""
    request = sample.request
    for place in reversed(_places_of_ids(sample)):
        request = without(request, place)
    return request


def others(sample: Sample) -> Iterator[SentRequest]:
    """Yield requests like a sample's with one text changed: other content, where it is accepted all the same."""
    known = {credential.value for credential in sample.submission.credentials}
    for place in places_of(sample.request, leaves=True):
        value = value_at(sample.request, place)
        if isinstance(value, str) and value not in known:
            yield with_value(sample.request, place, f"{value}x")


def with_idempotency_key(request: SentRequest, key: str) -> SentRequest:
    """Return a request with an Idempotency-Key in the place of its own."""
    return request.with_header("Idempotency-Key", key)


def with_body(request: SentRequest, body: bytes) -> SentRequest:
    """Return a request with another body."""
    return attrs.evolve(request, body=body)


def _places_of_ids(sample: Sample) -> list[Place]:
    ids = {item.message_id for item in sample.submission.items if item.message_id}
    values = [(place, value_at(sample.request, place)) for place in places_of(sample.request, leaves=True)]
    return [place for place, value in values if isinstance(value, str) and value in ids]


def _another_id(value: str, suffix: int | str) -> str:
    try:
        uuid.UUID(value)
    except ValueError:
        return f"{value}-{suffix}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{value}-{suffix}"))


def _credentials(sample: Sample, request: SentRequest) -> int:
    submission = sample.parse(request)
    return 0 if isinstance(submission, Refusal) else len(submission.credentials)


def _fewer(sample: Sample, request: SentRequest, than: int) -> bool:
    submission = sample.parse(request)
    return not isinstance(submission, Refusal) and len(submission.credentials) < than


def _one_less(request: SentRequest) -> Iterator[SentRequest]:
    for name in request.headers:
        yield request.with_header(name, None)
    for place in places_of(request):
        yield without(request, place)
