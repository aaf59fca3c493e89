"""What a dialect reads of the requests in its corpus, and the events that it makes of them, without a gateway. Pure."""

from collections.abc import Iterator

import attrs

from gateway.dialect import Event, EventWithFiles, Item, Received, Refusal, Request, Route, Submission, from_millis
from gateway.ingest.registry import Installed
from gateway.ingest.router import Router
from gateway.testing.corpus.case import Corpus
from gateway.testing.corpus.message import NOW, SentRequest
from gateway.testing.samples.sample import LARGE, Sample

PROJECT, MESSAGE_ID = "a-project-of-the-kit", "an-id-of-the-kit"


@attrs.frozen
class Reading:
    """A request and what `parse` makes of it. `title` names it in a Failure."""

    title: str
    route: Route
    request: Request
    submission: Submission


def readings(installed: Installed, corpus: Corpus) -> Iterator[Reading]:
    """Yield the requests of a corpus that are answered with success and reach a route; none of cases with switches."""
    router = Router((installed,), {})
    for case in corpus.cases:
        for step in () if case.switches else case.steps:
            sent = SentRequest.of(step["request"])
            if len(sent.body) > LARGE or step.get("answer", {}).get("status", 200) >= 400:
                continue
            match = router.match(sent.head.headers.get("host", ""), sent.method, sent.head.path)
            if match is not None and isinstance(match.endpoint, Route):
                title = f"{sent.method} {sent.head.path} of {case.name}"
                found = read(title, match.endpoint, sent.read(match.path, match.variables))
                if found is not None:
                    yield found


def read(title: str, route: Route, request: Request) -> Reading | None:
    """Return what `parse` makes of a request; None if it is refused."""
    try:
        return Reading(title, route, request, route.parse(request))
    except Refusal:
        return None


def of_sample(sample: Sample, request: SentRequest | None = None) -> Reading | None:
    """Return what is read of a sample, or of another request in its place."""
    sent = sample.request if request is None else request
    return read(str(sample), sample.route, sent.read(sample.read.path, sample.read.variables))


def received(installed: Installed, reading: Reading) -> Received:
    """Return what `translate` is told about a request."""
    sites = [each.value for each in reading.submission.credentials if installed.kinds[each.kind].is_site]
    return Received(
        project=PROJECT,
        site=sites[0] if sites else None,
        received_at=str(from_millis(NOW)),
        client_ip=reading.request.client_ip,
        context=reading.submission.context,
    )


def items(installed: Installed, reading: Reading) -> Iterator[tuple[int, Item]]:
    """Yield each item that meets its schema, with its index."""
    for index, item in enumerate(reading.submission.items):
        if item.fault is None and installed.schemas[item.schema].is_valid(item.payload):
            yield index, item


def events(installed: Installed, reading: Reading) -> Iterator[tuple[int, Item, Event]]:
    """Yield the event of each item that meets its schema, with the item and its index."""
    told = received(installed, reading)
    for index, item in items(installed, reading):
        event = event_of(reading.route, item, told)
        if event is not None:
            yield index, item, event


def event_of(route: Route, item: Item, told: Received) -> Event | None:
    """Return the event that `translate` makes of an item; None for a fault."""
    translated = route.translate(item, item.message_id or MESSAGE_ID, told)
    if isinstance(translated, EventWithFiles):
        return translated.event
    return translated if isinstance(translated, Event) else None
